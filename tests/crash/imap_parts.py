# SPDX-License-Identifier: ISC
"""The parts of the crash tests that are IMAP's; what they share is one house each."""

import faults
import imap_damage
import imap_delivery
import imap_proof
import imap_scenes
import imap_storm
import power
from imap_house import DeliveryHouse, ImapHouse

SAMPLE, DELIVERY_SAMPLE = (60, 200), (9, 60)  # the short form takes every n-th kill, every n-th error
CUTS = {"ext4": 90, "xfs": 180}               # and every n-th power cut
DAMAGES, STORMS, POWER_STORMS = (25, 400), (12, 1500), (6, 300)  # short, whole
# What is synced otherwise by control/spoolsync.
SYNCED = (imap_scenes.AppendMany, imap_scenes.CopyKeywords, imap_scenes.Move, imap_scenes.FirstList,
          imap_scenes.Create)


def broken(scenes, make=ImapHouse, sample=SAMPLE):
    def part(tap, folder, is_short):
        house = make(folder)
        house.build()
        for scene in scenes:
            faults.run_scene(tap, scene(house), sample if is_short else (1, 1))
    return part


def cut(kind, scenes, needs_root, make=ImapHouse, form=None):
    """form: None is the file system's own."""
    def part(tap, folder, is_short):
        if needs_root(tap):
            return
        with power.Powered(folder, kind, form, make) as powered:
            for scene in scenes:
                power.run_scene(tap, powered, scene(powered.house), CUTS[kind] if is_short else 1)
    return part


def damage(tap, folder, is_short):
    imap_damage.run(tap, folder, DAMAGES[0 if is_short else 1])


def storm(is_held):
    return lambda tap, folder, is_short: imap_storm.run(tap, folder, STORMS[0 if is_short else 1], is_held)


def power_storm(kind, needs_root):
    def part(tap, folder, is_short):
        if needs_root(tap):
            return
        with power.Powered(folder, kind, None, DeliveryHouse) as powered:
            imap_storm.run_power(tap, powered, POWER_STORMS[0 if is_short else 1])
    return part


def parts(needs_root):
    found = {"imap-mail": broken(imap_scenes.MAIL), "imap-folders": broken(imap_scenes.FOLDERS),
             "imap-delivery": broken(imap_delivery.DELIVERIES, imap_delivery.House, DELIVERY_SAMPLE), "imap-damage": damage, "imap-storm": storm(False),
             "imap-storm-held": storm(True), "imap-proof": imap_proof.prove}
    for kind in CUTS:
        found[f"power-{kind}-imap-mail"] = cut(kind, imap_scenes.MAIL, needs_root)
        found[f"power-{kind}-imap-folders"] = cut(kind, imap_scenes.FOLDERS, needs_root)
        found[f"power-{kind}-imap-delivery"] = cut(kind, imap_delivery.DELIVERIES, needs_root, imap_delivery.House)
        found[f"power-{kind}-two-imap"] = cut(kind, SYNCED, needs_root, form="two")
        found[f"power-{kind}-imap-storm"] = power_storm(kind, needs_root)
    return found
