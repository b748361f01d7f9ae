// SPDX-License-Identifier: GPL-2.0

#include <linux/mm.h>

__rust_helper struct folio *rust_helper_page_folio(struct page *page)
{
	return page_folio(page);
}

__rust_helper unsigned long rust_helper_page_private(struct page *page)
{
	return page_private(page);
}

__rust_helper void rust_helper_set_page_private(struct page *page,
						unsigned long private)
{
	set_page_private(page, private);
}
