import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import psycopg
import pytest

from resolutionflow.database.cluster import LONGEST_SOCKET_PATH, Cluster, ClusterError


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster of its own in a folder with an awkward name; what a test does to it, the next start must survive."""
    cluster = Cluster.for_project(tmp_path_factory.mktemp("it's a, folder ü"), Path("data"))
    yield cluster
    cluster.erase()
    assert not cluster.home.exists()


@pytest.fixture
def running(cluster):
    cluster.ensure_running()
    return cluster


def query(cluster, statement):
    settings = cluster.connection_settings()
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        dbname=settings["NAME"],
        **settings["OPTIONS"],
    ) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def postmaster(cluster):
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


def test_settings_touch_nothing(tmp_path):
    Cluster.for_project(tmp_path, Path("data")).connection_settings()
    assert list(tmp_path.iterdir()) == []


def test_it_starts_answers_and_stops(running):
    assert running.status() == "running"
    assert query(running, "SELECT upper('straße – ñ')") == "STRAßE – Ñ"
    assert query(running, "SHOW timezone") == "UTC"
    assert query(running, "SHOW fsync") == "on"
    assert query(running, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert running.stop() is True
    assert running.status() == "stopped"
    assert running.stop() is False


def test_the_password_is_needed_and_private(running):
    assert running.password_file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(running.socket_folder), user="resolutionflow", password="wrong")


def test_a_second_object_finds_the_first_ones_server(running):
    other = Cluster(running.home, run_as_other_user=running.run_as_other_user)
    before = postmaster(running)
    other.ensure_running()
    assert postmaster(running) == before
    assert other.stop() is True
    assert running.status() == "stopped"


def test_several_at_once_start_one_server(running):
    running.stop()
    others = [Cluster(running.home, run_as_other_user=running.run_as_other_user) for _ in range(4)]
    threads = [threading.Thread(target=other.ensure_running) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(other.answers() for other in others)
    assert sum(other._process is not None for other in others) == 1
    others[0].stop()


def test_it_comes_back_with_its_data_after_kill_9(running):
    query(running, "CREATE TABLE kept (n integer)")
    query(running, "INSERT INTO kept VALUES (7)")
    os.kill(postmaster(running), signal.SIGKILL)
    running.ensure_running()
    assert query(running, "SELECT n FROM kept") == 7


def test_a_stranger_with_the_old_process_id_is_left_alone(running):
    running.stop()
    # Of the server's own user: that is the one PostgreSQL would take for its predecessor.
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, **running._as_server_user()) as stranger:
        (running.data / "postmaster.pid").write_text(f"{stranger.pid}\n{running.data}\n")
        running.ensure_running()
        assert postmaster(running) != stranger.pid
        assert stranger.poll() is None
        running.stop()
        assert stranger.poll() is None
        stranger.stdin.close()


def test_a_lost_password_is_told_in_words(running):
    running.stop()
    hidden = running.password_file.rename(running.home / "elsewhere")
    with pytest.raises(ClusterError, match="is gone"):
        running.ensure_running()
    hidden.rename(running.password_file)


def test_data_of_another_version_is_told_in_words(running):
    running.stop()
    version = (running.data / "PG_VERSION").read_text()
    (running.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(ClusterError, match="PostgreSQL 17"):
        running.ensure_running()
    (running.data / "PG_VERSION").write_text(version)


@pytest.mark.parametrize("name", ["x" * 120, "with, comma"])
def test_a_socket_lies_elsewhere_where_its_path_would_not_do(tmp_path, name):
    folder = Cluster(tmp_path / name).socket_folder
    assert folder.parent == Path("/tmp")
    assert len(bytes(folder / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH


def test_a_socket_folder_of_somebody_else_is_refused(running):
    running.stop()
    shutil.rmtree(running.socket_folder)
    running.socket_folder.mkdir()
    running.socket_folder.chmod(0o777)
    with pytest.raises(ClusterError, match="open to others"):
        running.ensure_running()
    running.socket_folder.rmdir()
