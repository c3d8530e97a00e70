"""The app's configuration."""

from django.apps import AppConfig


class ResourcesConfig(AppConfig):
    name = "resources"
    verbose_name = "Resources"

    def ready(self) -> None:
        from core.registry import file_opened, file_rights, files_named, my_data, uploads_needed
        from resources import retention  # noqa: F401 - it registers itself
        from resources.access import may_open_cover, may_open_file
        from resources.models import Resource
        from resources.personal import documents_of, named_files, needed_uploads
        from resources.services.downloads import count_opened

        file_rights.add(Resource.FILE_FOLDER, may_open_file)
        file_rights.add(Resource.COVER_FOLDER, may_open_cover)
        for folder in (Resource.FILE_FOLDER, Resource.COVER_FOLDER):
            files_named.add(folder, named_files)
        file_opened.add(Resource.FILE_FOLDER, count_opened)
        my_data.add("resources", documents_of)
        uploads_needed.add("resources", needed_uploads)
