"""What fixtures of modules, classes and the run do to the SMKI: there as long as they are, and no longer."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import Run

CONFTEST = """
    import json, pathlib
    import pytest
    from smki.testing import ClockControl, Organisation, revoke

    @pytest.fixture(scope="session")
    def of_the_run(smki):
        return Organisation.make(smki, "networkOperator")

    @pytest.fixture(scope="module")
    def of_the_module(smki):
        ClockControl(smki).move("2027-01-01")
        made = Organisation.make(smki, "supplier")
        yield made
        revoke(smki, made)

    @pytest.fixture(scope="class", params=[1, 2])
    def of_the_class(smki, request):
        return Organisation.make(smki, "supplier")

    @pytest.fixture(scope="module")
    def of_no_interest():
        pass

    @pytest.fixture
    def status():
        return lambda organisation: organisation.digital_signature.status.label

    @pytest.fixture
    def seen(request, smki):
        def see(*values):
            lists = [each.current().der.hex() for each in smki.all_lists()]
            pathlib.Path(request.node.name).write_text(json.dumps([*map(str, values), *lists]))
        return see
    """

MODULE_WITH_FIXTURES = """
    class TestThem:
        def test_module(self, of_the_module, smki_clock, status):
            assert smki_clock.now.year == 2027
            assert status(of_the_module) == "in use"

        def test_class(self, of_the_module, of_the_class, supplier, status):
            assert [status(each) for each in (of_the_module, of_the_class, supplier)] == ["not in use"] * 2 + ["in use"]

        def test_class_again(self, of_the_class, status):
            assert status(of_the_class) == "in use"

    def test_after_the_class(of_the_module, status):
        assert status(of_the_module) == "in use"
    """

MODULE_THAT_ASKS_LATE = """
    def test_asked_for_in_the_midst(request, revoke, supplier, status):
        revoke(supplier)
        request.getfixturevalue("of_no_interest")
        request.getfixturevalue("of_the_module")
        assert status(supplier) == "revoked"

    def test_module(of_the_module, smki_clock, status):
        assert smki_clock.now.year == 2027
        assert status(of_the_module) == "in use"

    """

MODULE_WITHOUT = """
    def test_alone(smki_clock, supplier, esme, seen):
        assert smki_clock.now.year == 2026
        seen(supplier.digital_signature.serial_number, esme.digital_signature.serial_number)

    def test_clock(smki_clock):
        assert smki_clock.now.year == 2026
    """

MODULE_WITH_THE_RUN = """
    def test_later(of_the_module, smki_clock):
        assert smki_clock.now.year == 2027

    def test_run(of_the_module, of_the_run, revoke, status):
        assert status(of_the_run) == "in use"
        revoke(of_the_run)
    """

MODULE_WITH_THE_SAME_RUN = """
    def test_run(of_the_run, smki_clock, status):
        assert smki_clock.now.year == 2026
        assert status(of_the_run) == "in use"
    """


@pytest.fixture
def modules(run: Run, pytester: pytest.Pytester) -> Run:
    """Runs the modules of the given names in that order."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        test_fixtures=MODULE_WITH_FIXTURES,
        test_late=MODULE_THAT_ASKS_LATE,
        test_without=MODULE_WITHOUT,
        test_the_run=MODULE_WITH_THE_RUN,
        test_the_same_run=MODULE_WITH_THE_SAME_RUN,
    )

    def modules(*names: str) -> pytest.RunResult:
        return run("", "--smki-seed=s", *(f"{name}.py" for name in names))

    return modules


def test_no_module_sees_what_another_one_did(modules: Run, pytester: pytest.Pytester) -> None:
    seen = pytester.path / "test_alone"
    modules("test_without").assert_outcomes(passed=2)
    alone = json.loads(seen.read_text())
    for others in (["test_fixtures"], ["test_late"], ["test_late", "test_fixtures"]):
        seen.unlink()
        result = modules(*others, "test_without")
        assert result.ret == 0, result.stdout.str()
        assert json.loads(seen.read_text()) == alone


def test_a_fixture_outlasts_the_test_that_asks_for_it_first(modules: Run) -> None:
    modules("test_late").assert_outcomes(passed=2)


def test_a_fixture_of_the_run_outlasts_the_module_that_asks_for_it_first(modules: Run) -> None:
    modules("test_the_run", "test_the_same_run").assert_outcomes(passed=3)
