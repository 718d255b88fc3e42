#!/usr/bin/env python3
"""Checks an evidence pack, and the target that it speaks of, without the tool that made them.

    python3 check.py                    the files of the pack against MANIFEST.sha256
    python3 check.py TARGET             and the target: counts, bytes and checksums

TARGET is the folder that was written, or a mongodb:// address (needs pymongo). A collection's
checksum is the sum, modulo 2^256, of the SHA-256 hashes of its documents' BSON bytes, each read as
a big-endian number. Prints PASS and exits with 0, or FAIL and 1.
"""
import gzip, hashlib, json, pathlib, sys

HERE = pathlib.Path(__file__).resolve().parent
failures = 0


def tell(good, what):
    global failures
    failures += not good
    print("ok  " if good else "BAD ", what)


def check_manifest():
    listed = set()
    for line in (HERE / "MANIFEST.sha256").read_text("utf-8").splitlines():
        expected, name = line.split("  ", 1)
        listed.add(name)
        file = HERE / name
        tell(file.is_file() and digest(file) == expected, f"{name} is what the manifest says")
    there = {file.name for file in HERE.iterdir() if file.is_file()}
    for name in sorted(there - listed - {"MANIFEST.sha256"}):
        tell(False, f"{name} is not in the manifest")


def digest(file):
    sha256 = hashlib.sha256()
    with open(file, "rb") as stream:
        while part := stream.read(1 << 20):
            sha256.update(part)
    return sha256.hexdigest()


def open_file(folder, collection):
    plain = folder / f"{collection}.bson"
    if plain.is_file():
        return open(plain, "rb")
    if (packed := plain.with_name(plain.name + ".gz")).is_file():
        return gzip.open(packed, "rb")
    packed = plain.with_name(plain.name + ".zst")
    if not packed.is_file():
        sys.exit(f"FAIL: {plain} is not there, packed neither")
    try:
        from compression import zstd  # Python 3.14
    except ImportError:
        sys.exit(f"FAIL: this Python cannot read {packed}")
    return zstd.open(packed, "rb")


def folder_documents(folder, collection):
    with open_file(folder, collection) as stream:
        while head := stream.read(4):
            length = int.from_bytes(head, "little")
            document = head + stream.read(length - 4)
            if length < 5 or len(document) != length:
                sys.exit(f"FAIL: {collection} ends within a document, or is damaged")
            yield document


def live_documents(database, collection):
    for batch in database[collection].find_raw_batches({}):
        while batch:
            length = int.from_bytes(batch[:4], "little")
            yield batch[:length]
            batch = batch[length:]


def reader(target, db):
    if target.startswith(("mongodb://", "mongodb+srv://")):
        import pymongo
        database = pymongo.MongoClient(target).get_default_database(db)
        return lambda collection: live_documents(database, collection)
    folder = pathlib.Path(target)
    inside = folder / db
    return lambda collection: folder_documents(inside if inside.is_dir() else folder, collection)


def check_target(target, evidence):
    documents_of = reader(target, evidence["target"]["db"])
    for collection, expected in evidence["checksums"].items():
        documents = size = total = 0
        for document in documents_of(collection):
            documents += 1
            size += len(document)
            total += int.from_bytes(hashlib.sha256(document).digest(), "big")
        found = {"documents": documents, "bytes": size, "checksum": f"{total % 2**256:064x}"}
        for name in ("documents", "bytes", "checksum"):
            said = f"{collection}: {name} {found[name]}"
            good = found[name] == expected[name]
            tell(good, said if good else f"{said}, and the evidence says {expected[name]}")


def main(arguments):
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 2
    check_manifest()
    evidence = json.loads((HERE / "evidence.json").read_text("utf-8"))
    if arguments and evidence["checksums"] is None:
        tell(False, "the evidence has no checksums: no target was read when it was made")
    elif arguments:
        check_target(arguments[0], evidence)
    else:
        print("    the target was not checked: name it to count it again")
    print("the run's verdict:", evidence["verdict"]["word"])
    if not failures and evidence["verdict"]["word"] not in ("holds", "holds-with-exceptions"):
        print("PASS means that the pack is whole, not that the migration is: see the verdict.")
    print("FAIL" if failures else "PASS")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
