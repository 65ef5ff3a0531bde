"""Every marker and option of the plugin, and the errors for wrong ones."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Iterator

import pytest
from smki_repository.app import create_app
from werkzeug.serving import make_server

from smki import Smki
from smki.testing import DeviceUnderTest, serving
from tests.plugin.conftest import Run
from tests.repository.support import free_port


@pytest.fixture
def served_without_faults() -> Iterator[str]:
    """The URL of a Repository that has no faults."""
    with Smki.in_memory() as smki:
        server = make_server("127.0.0.1", 0, create_app(smki))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


SEED_OF = """
    import pathlib, pytest
    def test_seed(smki, esme):
        pathlib.Path("seed.txt").write_text(smki.configuration.seed + "\\n" + esme.digital_signature.serial_number.hex)
"""


def header_seed(result: pytest.RunResult) -> str:
    found = re.search(r"^smki: seed (\S+): the same certificates again with --smki-seed=\1$", result.stdout.str(), re.M)
    assert found, result.stdout.str()
    return found[1]


def test_the_header_tells_the_seed(run: Run, pytester: pytest.Pytester) -> None:
    result = run(SEED_OF)
    result.assert_outcomes(passed=1)
    seed, serial = (pytester.path / "seed.txt").read_text().split()
    assert header_seed(result) == seed
    again = run(SEED_OF, f"--smki-seed={seed}")
    assert header_seed(again) == seed
    assert (pytester.path / "seed.txt").read_text().split() == [seed, serial]


def test_the_seed_of_the_configuration_file(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nsmki_seed = from the file\n")
    run(SEED_OF).assert_outcomes(passed=1)
    assert (pytester.path / "seed.txt").read_text().startswith("from the file\n")
    run(SEED_OF, "--smki-seed=given").assert_outcomes(passed=1)
    assert (pytester.path / "seed.txt").read_text().startswith("given\n")


def test_the_smki_marker(run: Run) -> None:
    run(
        """
        from datetime import UTC, datetime
        import pytest

        def key(device):
            return device.digital_signature.d_hex

        keys = {}

        def test_unmarked(smki, esme):
            assert smki.configuration.seed == "of the run"
            keys["run"] = key(esme)

        @pytest.mark.smki(seed="of the test")
        def test_seed(smki, esme):
            assert smki.configuration.seed == "of the test"
            keys["test"] = key(esme)

        @pytest.mark.smki(at="2040-02-03T04:05:06Z")
        def test_at(smki, smki_clock, esme):
            assert smki.configuration.seed == "of the run"
            assert smki_clock.now == esme.certificates[0].not_before.replace() == datetime(2040, 2, 3, 4, 5, 6, tzinfo=UTC)
            keys["at"] = key(esme)

        @pytest.mark.smki(seed="of the class", at=datetime(2040, 2, 3, tzinfo=UTC))
        class TestMarked:
            def test_inherited(self, smki, smki_repository, smki_home, esme):
                assert smki.configuration.seed == "of the class"
                assert smki_repository.smki is smki
                keys["class"] = key(esme)

            @pytest.mark.smki(seed="of the test")
            def test_closest(self, esme):
                assert key(esme) == keys["test"]

        def test_unmarked_again(smki, esme, smki_repository):
            assert key(esme) == keys["run"] == keys["at"]
            assert smki_repository.smki is smki
            assert len(set(keys.values())) == 3

        @pytest.mark.smki(seed="x")
        def test_without_smki():
            pass

        @pytest.mark.smki(seed="x")
        def test_asked_for_late(request):
            assert request.getfixturevalue("smki").configuration.seed == "x"
        """,
        "--smki-seed=of the run",
    ).assert_outcomes(passed=8)


def test_a_mark_does_not_change_the_name_of_a_test(run: Run) -> None:
    result = run("import pytest\n@pytest.mark.smki(seed='x')\ndef test_named(smki): pass", "--collect-only", "-q")
    result.stdout.fnmatch_lines(["test_inner.py::test_named"])


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ('smki("seed")', "smki('seed'): expected seed=TEXT and at=MOMENT, by name"),
        ('smki(sed="x")', "smki(sed='x'): expected seed=TEXT"),
        ("smki(seed=1)", "smki(seed=1): expected seed=TEXT"),
        ('smki(at="soon")', "a date or time from 1950 on"),
        ('smki_defects("no-such-*")', "one that chooses a defect"),
        ('smki_defects("no-such-*")', "`smki defects list` shows the names"),
        ('smki_defects("public-key.*", "device-key-usge-*")', "Did you mean device-key-"),
        ('smki_defects("curv.*", device=True)', "or public-key.curve?"),
        ('smki_defects("role-missing", device=True)', "'role-missing', none of the defects to choose from"),
        ('smki_defects(["public-key.*"])', "expected a shell pattern as text"),
        ('smki_defects("public-key.*", device="yes")', "device: 'yes'; expected True or False"),
        ('smki_defects("public-key.*", lists=None)', "lists: None; expected True or False"),
        ("smki_defects(devices=True)", "expected patterns, device, lists, requests, allowed"),
    ],
)
def test_a_wrong_mark_is_named(run: Run, mark: str, message: str) -> None:
    fixture = "defective_certificate" if mark.startswith("smki_defects") else "smki"
    source = f"import pytest\n@pytest.mark.{mark}\ndef test_it({fixture}): pass"
    result = run(source)
    result.assert_outcomes(errors=1)
    assert message in result.stdout.str()
    assert "test_inner.py::test_it: @pytest.mark." in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize(
    ("mark", "names"),
    [
        ('"device-key-p384"', ["device-key-p384"]),
        ('"key-p384"', ["device-key-p384"]),
        ('"public-key.curve"', ["device-key-p384", "device-key-explicit-curve"]),
        ('"curve.*", device=True', ["device-key-p384", "device-key-explicit-curve"]),
        (
            '"public-key.curve", requests=True',
            ["device-key-p384", "device-key-explicit-curve", "device-request-key-p384"],
        ),
        ('"time.*", device=True', ["device-not-yet-valid"]),
        ('"time.*", "revocation.revoked", device=False', None),
        ('"*", device=False, lists=True', None),
        ('"serial-number-short", allowed=True', ["device-serial-number-short"]),
    ],
)
def test_which_defects(run: Run, mark: str, names: list[str] | None) -> None:
    source = f"import pytest\n@pytest.mark.smki_defects({mark})\ndef test_it(defective_certificate): pass"
    result = run(source, "--collect-only", "-q")
    found = re.findall(r"^test_inner.py::test_it\[(.*)\]$", result.stdout.str(), re.M)
    if names is not None:
        assert found == names
    else:
        assert found
        assert all(name.startswith(("organisation-", "issuing-oca-", "root-oca-")) for name in found)


def test_failed_tests_leave_their_certificates(run: Run, pytester: pytest.Pytester) -> None:
    result = run(
        """
        import pytest
        from smki.testing import assert_refused
        def test_good(esme): pass
        def test_bad(esme, supplier): assert_refused(supplier)
        def test_bad_elsewhere(): assert False
        @pytest.mark.smki_defects("issuing-oca-revoked")
        def test_defect(defective_certificate): assert False
        """,
        "--smki-keep=left/behind",
        "--smki-seed=kept",
    )
    result.assert_outcomes(passed=1, failed=3)
    left = sorted((pytester.path / "left" / "behind").iterdir())
    assert [folder.name.rpartition("-")[0] for folder in left] == [
        "test_inner.py_test_bad",
        "test_inner.py_test_defect_issuing-oca-revoked",
    ]
    assert f"certificates in {left[0]}" in result.stdout.str()
    names = {file.name for file in left[0].iterdir()}
    assert {"root-oca-TA.pem", "issuing-dca-TD01.pem", "organisation.crl", "organisation.arl", "README.txt"} <= names
    with Smki.in_memory(seed="kept") as smki:
        esme = DeviceUnderTest.make(smki, "ESME")
    name = f"device-00DB1234567890A0-ka-{esme.key_agreement.serial_number.hex[:8]}"
    assert (left[0] / f"{name}.pem").read_text() == esme.key_agreement.pem
    assert (left[0] / f"{name}.key").read_text() == esme.key_agreement.pkcs8_pem
    assert (left[0] / f"{name}.key").stat().st_mode & 0o777 == 0o600
    readme = (left[0] / "README.txt").read_text()
    assert "pytest --smki-seed=kept test_inner.py::test_bad" in readme
    defect = {file.name for file in left[1].iterdir()}
    assert {"defect-certificate.der", "defect-trust-anchor.der", "defect.crl", "defect.arl"} <= defect


def test_nothing_is_left_where_nothing_was_asked_for(run: Run, pytester: pytest.Pytester) -> None:
    result = run("def test_bad(esme): assert False", "-q", "--smki-seed=s")
    # The header is not shown with -q: a failure tells the seed all the same.
    assert "the same certificates again with --smki-seed=s" in result.stdout.str()
    assert not list(pytester.path.rglob("*.pem"))


def test_a_place_where_nothing_can_be_left(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "file").write_text("")
    result = run("def test_bad(esme): assert 1 == 2", "--smki-keep=file/below")
    result.assert_outcomes(failed=1)
    assert "certificates could not be written to" in result.stdout.str()
    assert "assert 1 == 2" in result.stdout.str()


def test_a_repository_that_is_running(run: Run) -> None:
    with Smki.in_memory(seed="elsewhere") as smki, serving(smki) as served:
        esme = DeviceUnderTest.make(smki, "ESME")
        result = run(
            f"""
            import pytest
            from smki import SerialNumber
            from smki.problem import SmkiError
            from smki.testing import Fault, FaultKind

            def test_it(smki_repository, smki):
                assert smki_repository.smki is None
                assert smki_repository.url == {served.url!r}
                assert smki_repository.client().retrieve(SerialNumber({esme.digital_signature.serial_number.value}))

            def test_faults(smki_repository, smki_faults, esme):
                smki_faults.set(Fault(FaultKind.STATUS, status=500))
                with pytest.raises(SmkiError):
                    smki_repository.client().search(esme.device_id, device=True)
            """,
            f"--smki-repository={served.url}/",
        )
        result.assert_outcomes(passed=2)
        assert f"repository {served.url}" in result.stdout.str()
        assert served.faults is not None
        assert served.faults.all() == []


def test_a_repository_that_cannot_misbehave(run: Run, served_without_faults: str) -> None:
    result = run("def test_it(smki_faults): pass", f"--smki-repository={served_without_faults}")
    result.assert_outcomes(errors=1)
    assert "smki serve --faults" in result.stdout.str()


def test_a_repository_that_is_not_running(run: Run) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = run("def test_it(smki_repository): pass", f"--smki-repository={url}")
    result.assert_outcomes(errors=1)
    assert f"--smki-repository {url}: nothing answers there" in result.stdout.str()


@pytest.mark.parametrize(
    ("option", "remedy"),
    [
        ("--smki-repository=localhost:8083", "write http://127.0.0.1:8083, for example"),
        ("--smki-repository=http://", "write http://127.0.0.1:8083, for example"),
        ("--smki-repository=http://127.0.0.1:99999", "write http://127.0.0.1:8083, for example"),
        ("--smki-keep=", "name one, which is made if necessary"),
        ("--smki-keep=a-file", "name one, which is made if necessary"),
    ],
)
def test_an_option_that_makes_no_sense(
    pytester: pytest.Pytester, only_this_plugin: None, capsys: pytest.CaptureFixture[str], option: str, remedy: str
) -> None:
    (pytester.path / "a-file").write_text("")
    assert pytester.runpytest_inprocess(option).ret is pytest.ExitCode.USAGE_ERROR
    assert remedy in capsys.readouterr().err


def test_a_seed_that_a_shell_would_take_apart(run: Run) -> None:
    result = run("def test_bad(esme): assert False", "--smki-seed=it's one")
    told = [line for line in result.outlines if "--smki-seed=" in line]
    assert len(told) == 2, "in the header and with the failure"
    for line in told:
        assert shlex.split(line.partition(" with ")[2]) == ["--smki-seed=it's one"]


def test_help_and_markers(pytester: pytest.Pytester, only_this_plugin: None) -> None:
    helped = pytester.runpytest_inprocess("--help").stdout.str()
    for option in ("--smki-seed=TEXT", "--smki-keep=DIR", "--smki-repository=URL", "smki_seed (string)"):
        assert option in helped
    markers = pytester.runpytest_inprocess("--markers").stdout.str()
    assert "@pytest.mark.smki(seed=TEXT, at=MOMENT)" in markers
    assert "@pytest.mark.smki_defects(*PATTERNS" in markers
