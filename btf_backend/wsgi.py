"""Entry of WSGI servers: HTTP alone."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "btf_backend.settings")

from django.core.wsgi import get_wsgi_application

from btf_backend.charset import PlainCharset
from btf_backend.startup import load_all, refuse_unsafe_start

refuse_unsafe_start()
application = PlainCharset(get_wsgi_application())
load_all()
