"""An SMKI that several tests share, and how it stays separate from that of a test."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import Run

CONFTEST = """
    import json, pathlib
    import pytest
    from smki.testing import Organisation

    @pytest.fixture(scope="session")
    def smki_of_the_run(smki_factory):
        with smki_factory() as smki:
            yield smki

    @pytest.fixture(scope="session")
    def supplier_of_the_run(smki_of_the_run):
        return Organisation.make(smki_of_the_run, "supplier")

    @pytest.fixture
    def seen(request, smki):
        def see(*values):
            lists = [each.current().der.hex() for each in smki.all_lists()]
            pathlib.Path(request.node.name).write_text(json.dumps([*map(str, values), *lists]))
        return see
    """

MODULE_WITH_ITS_OWN = """
    import pytest
    from smki.testing import ClockControl, Organisation, assert_refused, assert_trusted, serving

    @pytest.fixture(scope="module")
    def smki(smki_factory):
        with smki_factory(at="2027-01-01") as smki:
            yield smki

    @pytest.fixture(scope="module")
    def smki_repository(smki):
        with serving(smki) as repository:
            yield repository

    @pytest.fixture(scope="module")
    def supplier(smki):
        return Organisation.make(smki, "supplier")

    def test_all_fixtures_use_it(smki, supplier, esme, dcc, relying_party, smki_clock, smki_repository):
        assert smki_clock.now.year == 2027
        assert {smki} == {each.smki for each in (supplier, esme, dcc)}
        assert_trusted(supplier, by=relying_party)
        assert smki_repository.client().retrieve(esme.digital_signature.serial_number)

    def test_what_one_test_does(supplier, revoke, smki_clock):
        smki_clock.move("2027-06-01")
        revoke(supplier)

    def test_another_test_sees(supplier, smki_clock, smki_repository, smki_home):
        assert smki_clock.now.year == 2027 and smki_clock.now.month == 6
        assert_refused(supplier, "revocation.revoked")
        assert len(smki_repository.client().search(supplier.entity_identifier)) == 3
    """

MODULE_WITHOUT = """
    import pytest
    from smki.testing import assert_trusted

    def test_alone(smki_clock, supplier, esme, seen):
        assert smki_clock.now.year == 2026
        seen(supplier.digital_signature.serial_number, esme.digital_signature.serial_number)

    def test_again(smki_clock, supplier, revoke):
        assert smki_clock.move("2026-02-01")
        revoke(supplier)

    def test_both(supplier_of_the_run, supplier):
        assert supplier_of_the_run.smki is not supplier.smki
        assert supplier_of_the_run == supplier
        assert_trusted(supplier_of_the_run)
    """


@pytest.fixture
def modules(run: Run, pytester: pytest.Pytester) -> Run:
    """Runs the modules of the given names in that order."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_own=MODULE_WITH_ITS_OWN, test_without=MODULE_WITHOUT)

    def modules(*names: str) -> pytest.RunResult:
        return run("", "--smki-seed=s", *(f"{name}.py" for name in names))

    return modules


def test_an_smki_of_a_module(modules: Run) -> None:
    modules("test_own").assert_outcomes(passed=3)


def test_no_module_sees_what_another_one_did(modules: Run, pytester: pytest.Pytester) -> None:
    seen = pytester.path / "test_alone"
    modules("test_without").assert_outcomes(passed=3)
    alone = json.loads(seen.read_text())
    seen.unlink()
    modules("test_own", "test_without").assert_outcomes(passed=6)
    assert json.loads(seen.read_text()) == alone


def test_a_fixture_of_wider_scope_cannot_use_that_of_a_test(run: Run) -> None:
    result = run("""
        import pytest

        @pytest.fixture(scope="module")
        def of_the_module(smki): pass

        def test_it(of_the_module): pass
    """)
    result.assert_outcomes(errors=1)
    assert "ScopeMismatch" in result.stdout.str()


def test_certificates_of_a_shared_smki_are_kept(run: Run, pytester: pytest.Pytester) -> None:
    source = """
        import pytest

        @pytest.fixture(scope="module")
        def smki(smki_factory):
            with smki_factory() as smki:
                yield smki

        def test_bad(esme): assert False
        def test_late(request):
            request.getfixturevalue("esme")
            assert False
        """
    result = run(source, "--smki-keep=kept")
    result.assert_outcomes(failed=2)
    (folder,) = (pytester.path / "kept").iterdir()
    assert len(list(folder.glob("device-*.key"))) == 2
    own = source[: source.index("@pytest.fixture")] + source[source.index("def test_bad") :]
    run(own, "--smki-keep=of-each").assert_outcomes(failed=2)
    assert len(list((pytester.path / "of-each").iterdir())) == 2
