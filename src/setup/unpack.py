"""Unpacks parts of wheels: unpack.py DESTINATION PREFIX... -- WHEEL...

Writes every member whose name starts with one of the prefixes below DESTINATION, and prints as JSON the size and SHA-256 of each.
zipfile checks each member's CRC while it is read. Exit code 3: a wheel is damaged; 4: the destination cannot be written.
"""
import hashlib
import json
import os
import sys
import zipfile


def unpack(archive, member, destination):
    parts = member.filename.split("/")
    if ".." in parts or member.filename.startswith("/"):
        raise zipfile.BadZipFile("member outside the archive: " + member.filename)
    target = os.path.join(destination, *parts)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with archive.open(member) as source, open(target, "wb") as sink:
        for block in iter(lambda: source.read(1 << 20), b""):
            sink.write(block)
            digest.update(block)
            size += len(block)
    return {"bytes": size, "sha256": digest.hexdigest()}


def main(destination, prefixes, wheels):
    files = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                if member.filename.startswith(prefixes) and not member.is_dir():
                    files[member.filename] = unpack(archive, member, destination)
    json.dump(files, sys.stdout)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    split = arguments.index("--")
    try:
        main(arguments[0], tuple(arguments[1:split]), arguments[split + 1:])
    except (zipfile.BadZipFile, EOFError) as error:
        sys.exit(print("damaged: %s" % error, file=sys.stderr) or 3)
    except OSError as error:
        sys.exit(print(error, file=sys.stderr) or 4)
