# SPDX-License-Identifier: GPL-2.0
#
# Each target is one call of the tool in tools/xtask; `make help` lists them.

XTASK := tools/xtask.sh
kernel := $(if $(DRIVER),--driver $(DRIVER)) $(if $(CONFIG),--config $(CONFIG))
arch := $(if $(ARCH),--arch $(ARCH))
export KDIR BINDER_SAFE_CACHE

.PHONY: help setup run test test-all check patches am fold kernel module image configs selftest soak mutants clients items kunit shell bench profile doctor docs lint clean

help: ## This list
	@echo "Usage: make TARGET [VARIABLE=value ...]"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14
	@echo
	@echo "Variables:"
	@echo "  DRIVER=safe|c|rust      which driver the kernel carries (safe);"
	@echo "         |rust-extra      rust-extra is the Rust one with patches/extra"
	@echo "  CONFIG=release|debug    how it is configured; debug has KASAN and lockdep (release);"
	@echo "         |hardened        hardened has CFI and what else Android and distributions have;"
	@echo "         |rust-users      rust-users has the base's own Rust drivers and samples"
	@echo "  ARCH=x86_64|arm64       for kernel: what machine it is for (x86_64); arm64 is compiled only"
	@echo "  KDIR=/path/to/linux     a Linux 7.3 of your own, used through a copy; for am, the tree to patch"
	@echo "  PATCH=FILE              for fold: the patch that you edited"
	@echo "  ARGS='--option ...'     more options for the tool, say --dry-run or --help"
	@echo "  BINDER_SAFE_CACHE=DIR   trees, builds, downloads, logs (~/.cache/binder-safe)"
	@echo
	@echo "All options of the tool: $(XTASK) --help"

setup: ## Install what is missing, fetch and unpack the base kernel
	@$(XTASK) setup $(ARGS)

run: ## Build, boot and show the driver at work: the place to start
	@$(XTASK) run $(ARGS)

test: ## Run every test; the last line counts them
	@$(XTASK) test $(ARGS)

test-all: ## The same, and kernels and configurations that others have; takes hours
	@$(XTASK) test --all $(ARGS)

check: ## Prove that patches/ is what the sources say and applies cleanly
	@$(XTASK) check $(ARGS)

patches: ## Generate patches/ from the sources
	@$(XTASK) patches $(ARGS)

am: ## Apply the series to your own tree: make am KDIR=/path/to/linux
	@env -u KDIR $(XTASK) am $(if $(KDIR),--kdir "$(KDIR)") $(ARGS)

fold: ## Bring an edited patch back into the sources: make fold PATCH=FILE
	@$(XTASK) fold $(PATCH) $(ARGS)

kernel: ## Build a kernel
	@$(XTASK) kernel $(kernel) $(arch) $(ARGS)

module: ## Build a kernel with the driver as a module
	@$(XTASK) kernel $(kernel) --module $(ARGS)

image: ## Build a kernel if needed and print the path of its image (use make -s)
	@$(XTASK) image $(kernel) $(ARGS)

configs: ## Compile crate and driver in the configurations that others have: ARGS='--only NAME'
	@$(XTASK) configs $(ARGS)

selftest: ## Run the kselftests in the VM
	@$(XTASK) selftest $(kernel) $(ARGS)

soak: ## Run a random workload and a fuzzer, ten minutes each: ARGS='--seconds N --seed N'
	@$(XTASK) selftest --config $(or $(CONFIG),debug) $(if $(DRIVER),--driver $(DRIVER)) --only workload fuzz $(or $(ARGS),--seconds 600)

mutants: ## Put bugs of the past back into the driver: a test must find each
	@$(XTASK) mutants $(ARGS)

clients: ## Run Binder programs by others in the VM: rsbinder, libgbinder
	@$(XTASK) clients $(kernel) $(ARGS)

items: ## Which test holds which item of the ABI: ARGS=--missing
	@$(XTASK) items $(ARGS)

kunit: ## Run the KUnit suites in the VM
	@$(XTASK) kunit --config $(or $(CONFIG),debug) $(ARGS)

doctor: ## Check the Binder of this machine; ARGS=--test tries that in the VM
	@$(XTASK) doctor $(kernel) $(ARGS)

shell: ## Open a shell in the VM
	@$(XTASK) shell $(kernel) $(ARGS)

bench: ## What each operation costs, on the three drivers
	@$(XTASK) bench $(if $(DRIVER),--driver $(DRIVER)) $(ARGS)

profile: ## Instructions per kernel function of one operation: ARGS='--row two-way:128'
	@$(XTASK) profile $(kernel) $(ARGS)

docs: ## Build the pages of the kernel's documentation that the series adds, without warnings
	@$(XTASK) docs $(ARGS)

lint: ## Check style, layers, sizes, and that the driver is safe
	@$(XTASK) lint $(ARGS)

clean: ## Remove kernel builds, logs and the patched tree from the cache
	@$(XTASK) clean $(ARGS)
