# The modules of the tree: what they ask each other for, and their release. docs/decisions/0015-modules-without-replace.md

HOUSE := github.com/rollcall-sync/rollcall
# What people install or import. Each is tagged by its folder.
PUBLIC := pkg/events pkg/salesforce services services/rollcall
# The version they ask each other for: the one released next.
NEXT = $(shell awk '/ => / { print $$2; exit }' go.work)

.PHONY: tidy
tidy:
	$(call each,"$(CURDIR)/tools/modules/tidy.sh" -diff)

.PHONY: tidy-fix
tidy-fix: ## Tidy go.mod and go.sum of all modules.
	$(call each,"$(CURDIR)/tools/modules/tidy.sh")

.PHONY: named-version
named-version:
	@if [[ ! "$(VERSION)" =~ ^v[01]\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$$ ]]; then \
		echo "say which: VERSION=v0.2.0 (this is $(VERSION); from v2 on, modules would have other names)" >&2; exit 1; fi

.PHONY: next-version
next-version: named-version ## Have the modules ask each other for VERSION, the one released next.
	@sed -i -E 's|($(HOUSE)/[a-z/-]+) v[^ ]+|\1 $(VERSION)|' go.work $(addsuffix /go.mod,$(MODULES))

.PHONY: release-check
release-check: named-version ## Say what keeps VERSION from being tagged here.
	@bad=0; say() { echo "$$*" >&2; bad=1; }; \
	if [[ "$(VERSION)" != "$(NEXT)" ]]; then say "the modules ask each other for $(NEXT), not for $(VERSION): make next-version VERSION=$(VERSION), and commit"; fi; \
	if [[ -n "$$(git status --porcelain)" ]]; then say "what is tagged is a commit, and there are changes beside it (git status)"; fi; \
	if ! grep -qF '## [$(VERSION:v%=%)]' CHANGELOG.md; then say "CHANGELOG.md has no section [$(VERSION:v%=%)]"; fi; \
	for tag in $(VERSION) $(PUBLIC:%=%/$(VERSION)); do \
		if git rev-parse -q --verify "refs/tags/$$tag" >/dev/null; then say "there is a tag $$tag: a version that somebody may have is never made again"; fi; \
	done; exit $$bad

# The tag of the root is for people and for what images say they are.
.PHONY: tag
tag: release-check ## Tag this commit as VERSION, once for each module that people install.
	@for tag in $(VERSION) $(PUBLIC:%=%/$(VERSION)); do git tag -a "$$tag" -m "$$tag"; done
	@echo "after make check: git push origin $(VERSION) $(PUBLIC:%=%/$(VERSION))"
	@echo "then, for what comes after it: make next-version VERSION=..."
