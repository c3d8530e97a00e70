"""Entry of WSGI servers: HTTP alone."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "btf_backend.settings")

from django.core.wsgi import get_wsgi_application

from btf_backend.startup import refuse_unsafe_start

refuse_unsafe_start()
application = get_wsgi_application()
