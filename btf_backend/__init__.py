"""The composition root: settings, URL prefixes, server entry points. Imports anyone, imported by no one."""
