"""Aliyun Direct Mail."""
