import pytest
from django.db import connection
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from analytics.digest.mail import token_of
from analytics.models import DigestDelivery
from resolutionflow.tests.pages import read


def test_the_link_in_the_mail_asks_first_and_needs_no_login(client, engineer):
    path = f"/digest/unsubscribe/{token_of(engineer)}/"
    page = read(client.get(path))
    assert page.one("h1").text == "Stop the weekly digest?"
    engineer.refresh_from_db()
    assert engineer.weekly_digest
    page = read(client.post(path))
    assert page.one("h1").text == "The weekly digest is off"
    engineer.refresh_from_db()
    assert not engineer.weekly_digest
    assert read(client.get(path)).one("h1").text == "The weekly digest is off"


def test_a_mail_program_may_post_by_itself(engineer):
    program = Client(enforce_csrf_checks=True)
    path = f"/digest/unsubscribe/{token_of(engineer)}/"
    assert program.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    engineer.refresh_from_db()
    assert not engineer.weekly_digest


@pytest.mark.parametrize("token", ["x", "a.b", "%00", "01a1fe83-63a3-7b5d-b331-ba5c7b5d42a0.no", "x" * 3000])
def test_a_made_up_link_is_none(token, client, db):
    assert client.get(f"/digest/unsubscribe/{token}/").status_code == 404
    assert client.post(f"/digest/unsubscribe/{token}/").status_code == 404


def test_send_me_one_now(client, engineer):
    client.force_login(engineer)
    page = read(client.get("/settings/profile/"))
    form = page.one("form", action="/digest/send/")
    assert page.one("button", form=form.attributes["id"] or "").text == "Send me one now"
    response = client.post("/digest/send/", follow=True)
    assert "waits: no worker is running" in response.content.decode()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    response = client.post("/digest/send/", follow=True)
    assert f"is on its way to {engineer.email}" in response.content.decode()
    client.post("/digest/send/")
    response = client.post("/digest/send/", follow=True)
    assert "several digests within an hour" in response.content.decode()
    deliveries = {str(delivery.id) for delivery in DigestDelivery.objects.all()}
    assert {job.args["delivery_id"] for job in ProcrastinateJob.objects.all()} == deliveries
    assert len(deliveries) == 3


def test_it_is_for_people_of_the_account(client, account, super_admin, stranger):
    client.force_login(super_admin)
    assert 'action="/digest/send/"' not in client.get("/settings/profile/").content.decode()
    client.post("/accounts/choose/", {"account": account.slug})
    assert client.post("/digest/send/").status_code == 403
    client.force_login(stranger)
    client.post("/digest/send/")
    assert not DigestDelivery.objects.exists()  # in this account
    assert client.get("/digest/send/").status_code == 405
