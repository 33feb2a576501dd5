from django.contrib import admin
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    default_site = "resolutionflow.administration.site.ScopedAdminSite"

    def ready(self) -> None:
        from allauth.account.models import EmailAddress
        from django.contrib.auth.models import Group

        super().ready()
        # Roles take the place of groups, and a further address would be a second way to sign in.
        admin.site.unregister([Group, EmailAddress])
