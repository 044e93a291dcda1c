#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""make install DESTDIR=: what lies where; and an instance that is made by the installed tree."""

import glob
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import BIN, TOP, Instance, expect, expect_equal, letter, play, run  # noqa: E402
from systemlib import house as house_module  # noqa: E402

SERVERS = "smtpd queue send local rcptd authd pop3-login pop3d".split()


class Tree:
    def __init__(self, folder):
        self.root = os.path.join(folder, "root")
        run(["make", "-s", "-C", TOP, "install", f"DESTDIR={self.root}", "PREFIX=/usr"], timeout=600)
        self.bin, self.share = os.path.join(self.root, "usr/bin"), os.path.join(self.root, "usr/share")

    def last_log(self):
        return []

    def tidy(self):
        pass


def every_program_and_script_is_installed(tree):
    installed = set(os.listdir(tree.bin))
    expect_equal(installed, set(os.listdir(BIN)), "programs")
    for name in installed:
        expect_equal(os.stat(os.path.join(tree.bin, name)).st_mode & 0o7777, 0o755, f"mode of {name}")


def the_other_names_are_links_to_stafet_inject(tree):
    for name in ("sendmail", "qmail-inject", "qmail-queue"):
        expect_equal(os.readlink(os.path.join(tree.bin, name)), "stafet-inject", name)


def every_page_is_installed_and_each_program_has_one(tree):
    pages = {os.path.basename(p) for p in glob.glob(os.path.join(tree.share, "man/man*/*"))}
    source = {os.path.basename(p) for s in "158" for p in glob.glob(f"{TOP}/*/*.{s}")}
    expect_equal(pages, source, "pages")
    for name in os.listdir(tree.bin):
        expect(f"{name}.1" in pages or f"{name}.8" in pages or name in ("sendmail", "qmail-inject", "qmail-queue"), f"{name} has no page")
    for page in glob.glob(os.path.join(tree.share, "man/man*/*")):
        expect_equal(page[-1], os.path.basename(os.path.dirname(page))[-1], page)
        expect_equal(os.stat(page).st_mode & 0o777, 0o644, page)


def service_folders_are_installed_whole(tree):
    for path in glob.glob(f"{TOP}/service/*/run") + glob.glob(f"{TOP}/service/*/log/run") + [f"{TOP}/service/common", f"{TOP}/service/log-common"]:
        copy = os.path.join(tree.share, "stafet", os.path.relpath(path, TOP))
        with open(path, "rb") as f, open(copy, "rb") as g:
            expect(f.read() == g.read(), copy)
        expect_equal(bool(os.stat(copy).st_mode & 0o111), bool(os.stat(path).st_mode & 0o111), f"{copy} is executable")


def nothing_else_is_installed(tree):
    expect_equal(sorted(os.listdir(tree.root)), ["usr"], tree.root)
    expect_equal(sorted(os.listdir(os.path.join(tree.root, "usr"))), ["bin", "share"], "usr")


def an_instance_of_the_installed_tree_carries_mail(tree):
    saved, house_module.BIN = house_module.BIN, tree.bin
    try:
        with Instance() as house:
            house.send("a@elsewhere.test", house.joe[0], letter("from an installed tree"))
            house.wait_files(house.joe)
            expect("all services answer" in house.instance("status"))
    finally:
        house_module.BIN = saved


def every_server_prints_its_table_of_control_files(tree):
    for name in SERVERS:
        output = run([os.path.join(tree.bin, f"stafet-{name}"), "-T"])
        for line in output.splitlines():
            expect(len(line.split("\t")) in (3, 4) and line.split("\t")[2].startswith("default "), f"{name}: {line!r}")


def a_changed_control_file_shows_in_the_table(tree):
    with tempfile.TemporaryDirectory() as home:
        os.mkdir(home + "/control")
        with open(home + "/control/databytes", "w", encoding="ascii") as f:
            f.write("123456\n")
        for name in ("smtpd", "queue"):
            expect("databytes\t123456\tdefault 10485760" in run([os.path.join(tree.bin, f"stafet-{name}"), "-T"], cwd=home), name)


TESTS = (every_program_and_script_is_installed, the_other_names_are_links_to_stafet_inject, every_page_is_installed_and_each_program_has_one,
         service_folders_are_installed_whole, nothing_else_is_installed, every_server_prints_its_table_of_control_files,
         a_changed_control_file_shows_in_the_table, an_instance_of_the_installed_tree_carries_mail)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        return play(TESTS, Tree(folder))


if __name__ == "__main__":
    sys.exit(main())
