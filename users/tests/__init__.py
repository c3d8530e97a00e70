"""Tests of accounts, profiles and relations."""
