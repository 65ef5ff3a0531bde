"""Every fixture of the plugin, used as a test of somebody else's would use it."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Run

FIXTURES = [
    "smki",
    "smki_factory",
    "smki_home",
    "smki_repository",
    "supplier",
    "network_operator",
    "access_control_broker",
    "dcc",
    "manufacturer",
    "device_factory",
    "esme",
    "gsme",
    "chf",
    "gpf",
    "ppmid",
    "hcalcs",
    "sapc",
    "relying_party",
    "smki_clock",
    "revoke",
    "defective_certificate",
    "smki_faults",
]

PEOPLE = """
    import pytest
    from smki import CertificateStatus, KeyUsage, RemotePartyRole
    from smki.testing import assert_conformant, assert_trusted

    def test_smki(smki):
        assert len(smki.authorities()) == 4
        assert smki.check().problems == ()

    @pytest.mark.parametrize("name", ["esme", "gsme", "chf", "gpf", "ppmid", "hcalcs", "sapc"])
    def test_devices(name, request, smki, relying_party):
        device = request.getfixturevalue(name)
        assert device.device_type.name == name.upper()
        assert [each.usage for each in device.certificates] == [KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT]
        assert {each.entity_identifier for each in device.certificates} == {device.device_id}
        assert device.smi_entry.device_type is device.device_type
        assert str(device.smi_entry.status) == "pending"
        assert str(device.become("commissioned").status) == str(device.smi_entry.status) == "commissioned"
        assert_conformant(device)
        assert_trusted(device, by=relying_party, for_="device")
        assert smki.check().problems == ()

    def test_parties(supplier, network_operator, access_control_broker, dcc):
        for party, role, count in (
            (supplier, RemotePartyRole.SUPPLIER, 3),
            (network_operator, RemotePartyRole.NETWORK_OPERATOR, 2),
            (access_control_broker, RemotePartyRole.ACCESS_CONTROL_BROKER, 2),
        ):
            assert {each.role for each in party.certificates} == {role}
            assert len(party.certificates) == count
            assert_trusted(party.digital_signature, for_=f"{role.label}/ds")
            assert_trusted(party.key_agreement, for_=f"{role.label}/ka")
        assert supplier.top_up.certificate != supplier.key_agreement.certificate
        assert {each.status for each in supplier.credentials} == {CertificateStatus.IN_USE}
        assert len(dcc.certificates) == 6
        assert dcc.access_control_broker.certificates == access_control_broker.certificates
        assert_trusted(dcc)

    def test_the_manufacturer(manufacturer, esme, chf):
        assert manufacturer.certificates == esme.certificates

    def test_the_factory(device_factory, esme):
        first, second, gas = device_factory(), device_factory("esme"), device_factory("GSME", name="mine")
        assert len({each.device_id for each in (esme, first, second, gas)}) == 4
        assert (first.device_type.name, gas.device_type.name) == ("ESME", "GSME")
        assert str(device_factory("PPMID", device_id="00-DB-12-34-56-78-90-FF").device_id) == "00-DB-12-34-56-78-90-FF"

    def test_the_factory_names_the_same_in_every_test(device_factory, smki):
        assert str(device_factory().device_id) == FIRST
        assert str(device_factory(name="mine").device_id) == MINE

    def test_many_devices_at_once(device_factory, smki, smki_factory, monkeypatch):
        from smki.testing import DeviceFactory

        executed, execute = [], smki.registration.execute
        monkeypatch.setattr(smki.registration, "execute", lambda *given: executed.append(1) or execute(*given))
        first, many, last = device_factory(), device_factory.devices(5), device_factory("GSME")
        assert len(executed) == 3
        with smki_factory() as other:
            single = DeviceFactory(other)
            same = [single(), *(single() for _ in many), single("GSME")]
            for one, another in zip([first, *many, last], same, strict=True):
                assert one.device_id == another.device_id
                assert [each.der for each in one.credentials] == [each.der for each in another.credentials]
                assert [each.d_hex for each in one.credentials] == [each.d_hex for each in another.credentials]
        assert_trusted(many[-1], for_="device")
        assert device_factory.devices(0) == ()

    def test_many_devices_that_are_refused(device_factory, smki):
        from smki.problem import SmkiError

        with pytest.raises(SmkiError):
            device_factory.devices(3, applicant="OTHER-USER")
        with pytest.raises(ValueError):
            device_factory.devices(-1)

    def test_a_fresh_certificate(esme, smki):
        renewed = esme.renew("ds")
        assert renewed.device_id == esme.device_id
        assert renewed.key_agreement == esme.key_agreement
        assert renewed.digital_signature.xy_hex != esme.digital_signature.xy_hex
        assert (esme.digital_signature.status, renewed.digital_signature.status) == (
            CertificateStatus.NOT_IN_USE, CertificateStatus.IN_USE)
        assert esme.renew("ka").digital_signature == esme.digital_signature
"""


def test_people_and_devices(run: Run) -> None:
    from smki.testing import device_id_of

    named = f"    FIRST, MINE = {str(device_id_of('1'))!r}, {str(device_id_of('mine'))!r}\n"
    run(named + PEOPLE).assert_outcomes(passed=15)


def test_time_and_revocation(run: Run) -> None:
    run("""
        from datetime import UTC, datetime, timedelta
        import pytest
        from smki import CertificateStatus
        from smki.problem import SmkiError
        from smki.testing import assert_refused, assert_trusted

        START = datetime(2026, 1, 1, tzinfo=UTC)

        def test_the_clock(smki, smki_clock, supplier, esme):
            assert smki_clock.now == START
            assert smki_clock.move(timedelta(days=90)) == START + timedelta(days=90)
            assert_trusted(supplier)
            smki_clock.move("2036-01-01")
            assert_refused(supplier, "time.expired")
            assert_trusted(esme)
            assert smki_clock.freeze("2025-12-31") < START
            assert_refused(esme, "time.not-yet-valid")
            smki_clock.real()
            assert smki_clock.now > START
            smki_clock.move(timedelta(days=-1))
            shifted = smki_clock.now
            assert shifted < datetime.now(UTC) - timedelta(hours=23)
            assert smki_clock.freeze() - shifted < timedelta(seconds=5)

        def test_it_is_as_it_was(smki):
            assert smki.clock.now() == START

        def test_revoke_one(revoke, supplier, relying_party):
            assert_trusted(supplier, by=relying_party)
            (revoked,) = revoke(supplier.key_agreement, "superseded")
            assert revoked.revocation.reason == "superseded"
            assert supplier.key_agreement.status is CertificateStatus.REVOKED
            assert_refused(supplier.key_agreement, "revocation.revoked", by=relying_party)
            assert_trusted(supplier.digital_signature, by=relying_party)
            with pytest.raises(SmkiError, match="revocation.already"):
                revoke(supplier)

        def test_revoke_without_list(revoke, supplier, smki_clock):
            revoke(supplier.digital_signature.certificate, publish=False)
            assert_trusted(supplier.digital_signature)
            smki_clock.move(timedelta(hours=1))

        def test_an_issuing_authority(revoke, supplier, smki):
            issuing = next(each.certificate for each in smki.authorities() if each.kind.value == "issuing-oca")
            revoke(issuing)
            assert_refused(supplier, "revocation.revoked")

        def test_a_device_is_not_revoked(revoke, esme):
            with pytest.raises(SmkiError, match="revocation.device"):
                revoke(esme.digital_signature)
            with pytest.raises(SmkiError, match="smki reject"):
                revoke(esme)
    """).assert_outcomes(passed=6)


def test_a_repository(run: Run) -> None:
    run("""
        import urllib.error, urllib.request
        import pytest
        from smki.problem import SmkiError
        from smki.relying_party import RelyingParty
        from smki.testing import Fault, FaultKind, assert_refused, assert_trusted

        def test_it_has_what_is_issued(smki_repository, esme, supplier, smki):
            client = smki_repository.client()
            assert client.retrieve(esme.key_agreement.serial_number).certificate == esme.key_agreement.certificate
            assert len(client.search(supplier.entity_identifier)) == 3
            assert smki_repository.smki is smki
            assert smki_repository.address.startswith("127.0.0.1:")

        def test_it_has_forgotten_them(smki_repository, supplier, smki_clock):
            assert len(smki_repository.client().search(supplier.entity_identifier)) == 3

        def test_what_is_revoked(smki_repository, smki, supplier, revoke):
            def party():
                authorities = [each.certificate for each in smki.authorities()]
                return RelyingParty(authorities, smki_repository.client(), clock=smki.clock)
            assert_trusted(supplier, by=party())
            revoke(supplier)
            assert_refused(supplier, "revocation.revoked", by=party())

        def test_it_misbehaves(smki_repository, smki_faults, smki, supplier):
            authorities = [each.certificate for each in smki.authorities()]
            party = RelyingParty(authorities, smki_repository.client(), clock=smki.clock)
            smki_faults.set(Fault(FaultKind.STALE_LIST, path="/crl/organisation.crl"))
            assert_refused(supplier, "revocation.unavailable", by=party)

        def test_it_behaves(smki_repository, smki_faults, smki):
            assert smki_faults.all() == []
            with urllib.request.urlopen(smki_repository.url + "/healthz", timeout=10) as answer:
                assert answer.status == 200

        def test_nobody_is_kept_waiting(smki_repository, smki_faults):
            smki_faults.set(Fault(FaultKind.SLOW, delay=60))
            with pytest.raises(OSError):
                urllib.request.urlopen(smki_repository.url, timeout=0.05)
    """).assert_outcomes(passed=6)


def test_a_home_on_disk(run: Run) -> None:
    run("""
        import pytest
        from smki import Smki
        from smki.cli import main
        from smki.testing import DeviceUnderTest

        def test_the_same_as_in_memory(smki, smki_home):
            with Smki.open(smki_home) as home:
                assert [each.der for each in home.authorities()] == [each.der for each in smki.authorities()]
                assert home.clock.now() == smki.clock.now()
                DeviceUnderTest.make(home, "ESME")

        def test_one_for_each_test(smki_home, capsys, monkeypatch):
            monkeypatch.setattr("sys.argv", ["smki", "list", "--home", str(smki_home), "--kind", "device"])
            with pytest.raises(SystemExit) as ended:
                main()
            assert ended.value.code in (0, None)
            assert "00-DB-12" not in capsys.readouterr().out  # of the other test
    """).assert_outcomes(passed=2)


def test_defects(run: Run) -> None:
    result = run("""
        import pytest
        from smki.testing import assert_conformant, assert_refused
        from smki.relying_party import RelyingParty

        def test_every_certificate_that_must_be_refused(defective_certificate):
            assert_refused(defective_certificate)
            assert defective_certificate.name in repr(defective_certificate)
            assert defective_certificate.clause
            assert defective_certificate.expected != "trusted"
            is_good = defective_certificate.expected == "path.authority-offered"  # but in the wrong place
            assert (defective_certificate.encoded == defective_certificate.twin) is is_good
    """)
    from smki.testing import select_defects

    count = len(list(select_defects()))
    assert count > 150
    result.assert_outcomes(passed=count)


def test_every_fixture_is_documented(pytester: pytest.Pytester, only_this_plugin: None) -> None:
    lines = pytester.runpytest_inprocess("--fixtures").outlines
    ours = {
        line.split()[0]: (line, lines[number + 1])
        for number, line in enumerate(lines)
        if line and not line[0].isspace() and "smki/testing/plugin.py" in line
    }
    assert set(ours) == set(FIXTURES)
    assert [name for name, (line, _) in ours.items() if "scope]" in line] == ["smki_factory"]
    assert all(description.startswith("    ") for _, description in ours.values())
    assert not [name for name, (_, description) in ours.items() if "no docstring" in description]
