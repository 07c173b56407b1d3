"""The whole story of a company's return to work, from the register to the last notice.

The product runs as processes of its own: web server, worker, PostgreSQL, Redis; WeChat is the
stand-in, owner, reviewer and two of the staff sit in front of a browser.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pyotp
import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pyzbar.pyzbar import decode
from sqlalchemy import func, select

from bot.app import create_app
from bot.demo.names import company_code, resident_number
from bot.services import services_of
from bot.settings import Settings
from bot.simulator import pushes
from bot.simulator.envelope import aes_key_of
from bot.simulator.followers import put_follower
from bot.simulator.ledger import Ledger
from bot.simulator.mailbox import Entry, list_delivered
from bot.simulator.phone import ORIGINAL_ID
from bot.simulator.wire import Account, Mode
from bot.simulator.wire import Platform as Wire
from core.audit.model import AuditEntry
from core.clock import day_of
from core.db import Database, Keyring, install_keyring
from core.notices.model import Notice
from core.notices.rules import NoticeState
from core.people.phones import mask_phone
from core.people.staff.rules import Role
from core.people.staff.secrets import hash_password
from core.people.staff.service import NewStaff, add_account
from core.resumption.filing.model import Filing
from core.resumption.registration.model import Registration
from tests.core.codes.test_poster import PDF_MARK  # noqa: F401
from tests.h5 import WECHAT, csrf_of
from tests.servers import Process, free_port, wait_until
