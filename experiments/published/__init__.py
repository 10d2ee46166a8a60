"""The papers' numbers, cell by cell; nothing else in the package holds one."""
