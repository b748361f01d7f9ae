// SPDX-License-Identifier: GPL-2.0

#include <linux/mm.h>

__rust_helper struct folio *rust_helper_page_folio(struct page *page)
{
	return page_folio(page);
}

__rust_helper struct list_head *rust_helper_page_lru(struct page *page)
{
	return &page->lru;
}

__rust_helper struct page *rust_helper_page_of_lru(struct list_head *lru)
{
	return container_of(lru, struct page, lru);
}

__rust_helper pgoff_t rust_helper_page_index(struct page *page)
{
	return page->__folio_index;
}

__rust_helper void rust_helper_set_page_index(struct page *page, pgoff_t index)
{
	page->__folio_index = index;
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
