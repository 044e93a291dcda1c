# Targets of the tests: filled as the tests arrive.
check: all units
.PHONY: check
