"""The outbox: what people are told, written in the transaction of the change that it tells of.

Core only queues and records; `bot/deliver.py` sends.
"""
