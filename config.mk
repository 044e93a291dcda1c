# Where things go and who runs what. Packagers override these on the command line.
PREFIX ?= /usr/local
HOME_FOLDER ?= /var/stafet
VPOPMAIL_HOME ?= /home/vpopmail
CC ?= gcc
PYTHON ?= /usr/bin/python3
