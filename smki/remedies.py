"""Remedies: what to do about a refusal, in terms of each interface.

A :class:`~smki.problem.Problem` has the key of its remedy and the values for its placeholders. The remedy names a
command on the command line, an operation over REST, and a call in Python; if a row has no text for an interface, the
first one is used. tests/test_codes.py checks that every key that is used exists, and tests/test_remedies.py that every
command, operation and call does.
"""

from __future__ import annotations

from smki.inventory_remedies import INVENTORY_REMEDIES
from smki.remedy import Interface, Remedy

__all__ = ["REMEDIES", "Interface", "Remedy"]


REMEDIES: dict[str, Remedy] = {
    **INVENTORY_REMEDIES,
    # Parties, participants and officers
    "party.add": Remedy(
        "smki party list lists the registered Parties; smki party add adds one.",
        "GET /api/v1/parties lists the registered Parties; POST /api/v1/parties adds one.",
        "smki.ledger.register.registrants() lists the registered Parties; execute Register(...) to add one.",
    ),
    "party.accede": Remedy(
        "Register a Party (smki party add) and have it apply.", "Have a Party apply: GET /api/v1/parties lists them."
    ),
    "party.wait-for-accession": Remedy("Apply once its accession has taken place."),
    "party.reinstate": Remedy(
        "Have it reinstated: smki party reinstate {party}.",
        "Have an officer of the DCC reinstate it: POST /api/v1/parties/{party}/standing.",
        "Execute SetStanding(party, Standing.ACCEDED).",
    ),
    "party.authorise": Remedy(
        "Have it made an Authorised Subscriber: smki party change {party} --authorised-for 'organisation, device'.",
        "Have an officer of the DCC make it one: PATCH /api/v1/parties/{party} with authorised_for.",
        "Execute ChangeParty(party, authorised_for=...).",
    ),
    "party.add-role": Remedy(
        "Ask for a role that the Party acts in, or have its User Role recorded: smki party change {party} --add-role ROLE.",
        "Ask for a role that the Party acts in, or have an officer of the DCC record its User Role: "
        "PATCH /api/v1/parties/{party} with add_roles.",
        "Ask for a role that the Party acts in, or execute ChangeParty(party, add_roles=...).",
    ),
    "party.become-user": Remedy(
        "Record that it has been through the User Entry Process: smki party change {party} --through-entry.",
        "Have an officer of the DCC record it: PATCH /api/v1/parties/{party} with through_entry.",
        "Execute ChangeParty(party, through_entry=True).",
    ),
    "party.name-shared-resource": Remedy(
        "Apply as the Party itself, or have it name the Shared Resource: smki party change {resource} --add-acts-for {party}.",
        "Apply as the Party itself, or have an officer of the DCC record it: PATCH /api/v1/parties/{resource} with add_acts_for.",
        "Apply as the Party itself, or execute ChangeParty(party, add_acts_for=...).",
    ),
    "acting-for.as-itself": Remedy("Apply as the Party itself: only a Party can be its Shared Resource."),
    "quota.raise": Remedy(
        "Have its quota raised: smki party change {party} --quota NUMBER.",
        "Have an officer of the DCC raise it: PATCH /api/v1/parties/{party} with quota.",
        "Execute ChangeParty(party, quota=...).",
    ),
    "quota.raise-test": Remedy(
        "Have its quota for the test raised: smki participant change-test {party} {test} --quota NUMBER.",
        "Have an officer of the DCC raise it: PATCH /api/v1/parties/{party}/tests/{test} with quota.",
        "Execute ChangeTest(participant, test, quota=...).",
    ),
    "acting-for.become-user": Remedy(
        "Apply as the Party itself, or record that it has been through the User Entry Process: "
        "smki party change {party} --through-entry --add-role ROLE.",
        "Apply as the Party itself, or have an officer of the DCC record that it has been through the User Entry Process: "
        "PATCH /api/v1/parties/{party} with through_entry and add_roles.",
        "Apply as the Party itself, or execute ChangeParty(party, through_entry=True, add_roles=...).",
    ),
    "participant.add": Remedy(
        "Have it recorded as a Testing Participant: smki participant add {party} --purpose PURPOSE.",
        "Have an officer of the DCC record it: POST /api/v1/participants.",
        "Execute AddParticipant(...).",
    ),
    "participant.agree": Remedy(
        "Record the day of the agreement: smki participant change {party} --agreement DATE.",
        "Have an officer of the DCC record it: PATCH /api/v1/participants/{party} with agreement.",
        "Execute ChangeParticipant(party, agreement=...).",
    ),
    "participant.purpose": Remedy(
        "Record another test that it takes part in (smki participant add-test {party} --purpose PURPOSE), or have a Party "
        "apply.",
        "Have an officer of the DCC record another test (POST /api/v1/parties/{party}/tests), or have a Party apply.",
        "Execute RecordTest(participant, test), or have a Party apply.",
    ),
    "participant.add-test": Remedy(
        "Have a test recorded: smki participant add-test {party} --purpose PURPOSE.",
        "Have an officer of the DCC record a test: POST /api/v1/parties/{party}/tests.",
        "Execute RecordTest(participant, test).",
    ),
    "participant.add-role": Remedy(
        "If the test calls for it, have it recorded: smki participant change-test {party} {test} --add-role {role}.",
        "If the test calls for it, have an officer of the DCC record it: PATCH /api/v1/parties/{party}/tests/{test} "
        "with add_roles.",
        "If the test calls for it, execute ChangeTest(participant, test, add_roles=...).",
    ),
    "participant.add-identifier": Remedy(
        "If the test calls for it, have it recorded: smki participant change-test {party} {test} --add-eui {eui}.",
        "If the test calls for it, have an officer of the DCC record it: PATCH /api/v1/parties/{party}/tests/{test} "
        "with add_identifiers.",
        "If the test calls for it, execute ChangeTest(participant, test, add_identifiers=...).",
    ),
    "participant.add-device-type": Remedy(
        "If the test calls for it, have it recorded: smki participant change-test {party} {test} --add-device-type {type}.",
        "If the test calls for it, have an officer of the DCC record it: PATCH /api/v1/parties/{party}/tests/{test} "
        "with add_device_types.",
        "If the test calls for it, execute ChangeTest(participant, test, add_device_types=...).",
    ),
    "participant.other-identifier": Remedy(
        "Record another one with the test, and apply with it for this role: "
        "smki participant change-test {party} {test} --add-eui EUI-64.",
        "Have an officer of the DCC record another one with the test, and apply with it for this role: "
        "PATCH /api/v1/parties/{party}/tests/{test} with add_identifiers.",
        "Execute ChangeTest(participant, test, add_identifiers=...), and apply with the new one for this role.",
    ),
    "participant.remove-identifier": Remedy(
        "Remove it from that test first: smki participant change-test {party} {test} --remove-eui {eui}.",
        "Remove it from that test first: PATCH /api/v1/parties/{party}/tests/{test} with remove_identifiers.",
        "Execute ChangeTest(participant, test, remove_identifiers=...) first.",
    ),
    "participant.list-tests": Remedy(
        "smki participant show {party} lists its tests; smki participant add-test records one.",
        "GET /api/v1/parties/{party} lists its tests; POST /api/v1/parties/{party}/tests records one.",
        "Its record lists them; execute RecordTest(participant, test) to add one.",
    ),
    "test.on-behalf-of-owner": Remedy(
        "Use one that belongs to nobody, or record on whose behalf it acts: --on-behalf-of.",
        "Use one that belongs to nobody, or record on whose behalf it acts: on_behalf_of.",
        "Use one that belongs to nobody, or record on whose behalf it acts: on_behalf_of=.",
    ),
    "officer.appoint": Remedy(
        "Apply through one of its officers (smki party show {party}), or appoint this one: smki party appoint {party} OFFICER.",
        "Apply through one of its officers, or have an officer of the DCC appoint this one: "
        "POST /api/v1/parties/{party}/officers/appoint.",
        "Execute AppointOfficer(party, officer).",
    ),
    "officer.appoint-another": Remedy(
        "Appoint another first: smki party appoint.",
        "Appoint another first: POST /api/v1/parties/{party}/officers/appoint.",
        "Execute AppointOfficer(party, officer) first.",
    ),
    "entity-identifier.assign": Remedy(
        "Use one of its own, or have one assigned: smki party assign-eui {party}.",
        "Use one of its own, or have an officer of the DCC assign one: POST /api/v1/parties/{party}/identifiers.",
        "Use one of its own, or execute AssignIdentifier(party).",
    ),
    "entity-identifier.assign-for-role": Remedy(
        "Have another one assigned, and apply with it for this role: smki party assign-eui {party}.",
        "Have an officer of the DCC assign another one, and apply with it for this role: "
        "POST /api/v1/parties/{party}/identifiers.",
        "Execute AssignIdentifier(party), and apply with the new one for this role.",
    ),
    "entity-identifier.register-owner": Remedy(
        "Register the Party with it (smki party add), or assign it to one (smki party assign-eui).",
        "Have an officer of the DCC register the Party with it: POST /api/v1/parties.",
        "Execute Register(...) or AssignIdentifier(...).",
    ),
    "participant.list": Remedy(
        "smki participant list lists the participants; smki participant add adds one.",
        "GET /api/v1/parties lists the participants; POST /api/v1/participants adds one.",
        "Execute AddParticipant(...) to add one.",
    ),
    "party.name-user": Remedy(
        "Name the User for which the Shared Resource applies: smki party list lists the Parties.",
        "Name the User for which the Shared Resource applies: GET /api/v1/parties lists the Parties.",
    ),
    "entity-identifier.assign-another": Remedy(
        "Assign one of another block: smki party assign-eui {party} EUI-64.",
        "Assign one of another block: POST /api/v1/parties/{party}/identifiers.",
        "Execute AssignIdentifier(party, identifier).",
    ),
    "party.show": Remedy(
        "smki party show {party} lists them.",
        "GET /api/v1/parties/{party} lists them.",
        "The record of the Party lists them.",
    ),
    "certificate.revoke-first": Remedy(
        "Have it revoked first: smki revoke {serial} --reason no-longer-eligible --party {party}.",
        "Have it revoked first: POST /api/v1/certificates/{serial}/revoke.",
        "Execute Revoke(...) first.",
    ),
    "party.change": Remedy(
        "smki party change changes a Party.",
        "PATCH /api/v1/parties/{party} changes a Party.",
        "ChangeParty changes a Party.",
    ),
    "device.reset-threshold": Remedy(
        "Without one the Device has the default: smki device reset-limit.",
        "Without one the Device has the default: PUT /api/v1/devices/{device}/threshold with null.",
        "Without one the Device has the default: SetThreshold(device_id, None).",
    ),
    "credential.name-one": Remedy(
        "Name the Party with --party, or one token by its number.",
        "Name one token by its number: POST /api/v1/tokens/NUMBER/revoke.",
        "Name the Party with party=, or one token with number=.",
    ),
    "actor.dcc": Remedy(
        "Have an officer of the DCC do it, or do it on the command line of the home.",
        "Have an officer of the DCC do it.",
        "Execute it as an Actor without Party and officer, or as an officer of the DCC.",
    ),
    # Devices
    "device.add": Remedy(
        "Add it first: smki device add {device} --type ESME (or its type).",
        "Have it added first: POST /api/v1/devices.",
        "Execute AddDevices((Device(...),)).",
    ),
    "device.say-type": Remedy(
        "Give its type with --type ESME (or GSME, CHF, …), or add it: smki device add {device} --type ESME.",
        "Give its type with deviceType, or have it added: POST /api/v1/devices.",
        "Give its type with device_type=, or execute AddDevices(...).",
    ),
    "device.raise-threshold": Remedy(
        "Have the threshold of this Device raised: smki device raise-limit {device} NUMBER.",
        "Have an officer of the DCC raise it: PUT /api/v1/devices/{device}/threshold.",
        "Execute SetThreshold(device_id, threshold).",
    ),
    "device.change-model": Remedy(
        "Leave the model out, or have it changed in the inventory: smki device change {device} --model MODEL.",
        "Leave the model out, or have an officer of the DCC change it: PATCH /api/v1/devices/{device} with model.",
        "Leave the model out, or execute ChangeDevice(device_id, model=...).",
    ),
    # Certificates and applications
    "application.state": Remedy(
        "Apply with --statement if that is so.",
        "Apply with statement true if that is so.",
        "Apply with Application(statement=True) if that is so.",
    ),
    "certificate.list": Remedy(
        "smki list shows what was issued.",
        "GET /api/v1/certificates lists what was issued.",
        "smki.ledger.certificates(CertificateQuery()) lists what was issued.",
    ),
    "certificate.revoke-instead": Remedy(
        "It counts as accepted: have it revoked instead (smki revoke {serial} --reason … --party {party}).",
        "It counts as accepted: have it revoked instead (POST /api/v1/certificates/{serial}/revoke).",
        "It counts as accepted: execute Revoke(...) instead.",
    ),
    "certificate.reject-instead": Remedy(
        "Device Certificates are not revoked: reject it (smki reject {serial} --because … --party {party}), and apply for another.",
        "Device Certificates are not revoked: reject it (POST /api/v1/certificates/{serial}/reject), and apply for another.",
        "Device Certificates are not revoked: execute Reject(...), and apply for another.",
    ),
    "revocation.as-pma": Remedy(
        "Act as the SMKI PMA: --officer 'SMKI PMA'.",
        "Only the SMKI PMA delays a revocation, and it acts on the command line.",
        "Act as Actor(interface=..., officer='SMKI PMA').",
    ),
    "application.list": Remedy(
        "smki applications list shows them.",
        "GET /api/v1/applications lists them.",
        "smki.ledger.applications(ApplicationQuery()) lists them.",
    ),
    "kind.apply-for-device": Remedy(
        "Apply for it with smki issue device.", "Apply with kind device.", "Apply with Smki.issue_device."
    ),
    "kind.apply-for-organisation": Remedy(
        "Apply for it with smki issue organisation.",
        "Apply with kind organisation.",
        "Apply with Smki.issue_organisation.",
    ),
    "authority.by-ceremony": Remedy(
        "smki init makes that of the Root OCA; have one of an Issuing OCA made: smki authority add issuing-oca.",
        "Have an officer of the DCC make one of an Issuing OCA: POST /api/v1/authorities with kind issuing-oca.",
        "Smki.create makes the certificate of the Root OCA; execute EstablishAuthority(kind) for one of an Issuing OCA.",
    ),
    "role.usage": Remedy(
        "Apply for its digital signature certificate: smki issue organisation --usage ds.",
        "Apply with a request for a digital signature certificate: POST /api/v1/applications.",
        "Make the request with KeyUsage.DIGITAL_SIGNATURE.",
    ),
    "authority.list": Remedy(
        "smki authority list shows them.", "GET /api/v1/authorities lists them.", "Smki.authorities() lists them."
    ),
    "authority.add": Remedy(
        "Make one: smki authority add {kind}.",
        "Have one made: POST /api/v1/authorities.",
        "Execute EstablishAuthority(kind).",
    ),
    "ledger.restore": Remedy(
        "Nothing was written. Undo what was changed, or restore a backup in another directory: smki restore FILE --home DIR.",
        "Nothing was written. Undo what was changed, or restore a backup.",
    ),
    "ledger.check": Remedy(
        "smki check shows everything that is not as it was recorded. Restore a backup in another directory: "
        "smki restore FILE --home DIR.",
        "Have the operator check the ledger, to see everything that is not as it was recorded, and restore a backup.",
        "Smki.check() shows everything that is not as it was recorded. Restore a backup.",
    ),
    "ledger.newer-version": Remedy(
        "Nothing was written. Install the version that wrote it, or a newer one; or restore a backup that this version made: "
        "smki restore FILE --home DIR.",
        "Nothing was written. Install the version that wrote it, or a newer one; or restore a backup that this version made.",
    ),
    "credential.list": Remedy(
        "smki apikey list and smki officer list show what there is.",
        "GET /api/v1/api-keys and GET /api/v1/tokens list what there is.",
        "smki.ledger.credentials.all(kind) lists them.",
    ),
    # Relying Parties
    "path.give-issuer": Remedy(
        "Give the issuing authority's certificate with --chain, or its root with --trust.",
        "Send the issuing authority's certificate with chain.",
        "Give the issuing authority's certificate as chain=, or its root as a trust anchor.",
    ),
    "path.name-policy": Remedy(
        "It belongs to another environment. To accept it, name that environment's policy with --policy.",
        "It belongs to another environment.",
        "It belongs to another environment. To accept it, name that environment's policy with policy_oids=.",
    ),
    "time.not-yet-valid": Remedy(
        "Wait until it becomes valid, or ask about another moment with --at.",
        "Wait until it becomes valid, or ask about another moment with at.",
        "Wait until it becomes valid, or ask about another moment with at=.",
    ),
    "time.expired": Remedy(
        "Get the certificate that replaced it, or ask about another moment with --at.",
        "Get the certificate that replaced it, or ask about another moment with at.",
        "Get the certificate that replaced it, or ask about another moment with at=.",
    ),
    "revocation.give-list": Remedy(
        "Give the list with --crl or --arl, or a Repository with --repository.",
        "Ask again once the list is issued.",
        "Give the list in RevocationLists, or a RepositoryClient.",
    ),
    "list.publish": Remedy(
        "Issue a new list: smki crl publish or smki arl publish.",
        "Have an officer of the DCC issue a new list: POST /api/v1/revocation-lists.",
        "Call smki.lists(kind).publish().",
    ),
    "authority.passphrase": Remedy(
        "Set SMKI_KEY_PASSPHRASE to the passphrase that was set when {file} was made.",
        "Ask the operator of the Repository to start it with the passphrase of its keys.",
    ),
    "authority.key-file": Remedy(
        "Restore {file} from a copy.", "Ask the operator of the Repository to restore the key."
    ),
    "time-travel.write": Remedy(
        "Send the command without the header X-SMKI-Time, or serve the home with smki serve --time-travel=write.",
        "Send the command without the header X-SMKI-Time and without a fault that sets the time.",
        "Call travel(None) before it, or make the TravellingClock with may_write=True.",
    ),
    "revocation.later": Remedy(
        "Check the clock; ask about a later moment with --at.",
        "Check the clock; ask about a later moment with at.",
        "Check the clock; ask about a later moment with at=.",
    ),
    "suspicion.clear": Remedy(
        "Do not rely on it until the suspicion is cleared (smki suspect clear).",
        "Do not rely on it until the suspicion is cleared.",
        "Do not rely on it until the suspicion is cleared (Suspicions.clear).",
    ),
}
