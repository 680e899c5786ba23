#!/usr/bin/env python3
"""Lists what is linked into the command and the plugins, from Cargo's own resolution of Cargo.lock.

third_party.py notices FILE: names, licences and licence texts of all crates, to be shipped with binaries.
third_party.py sbom FILE: the same as a CycloneDX 1.6 bill of materials in JSON, checked against its schema. It needs the
environment that `scripts/setup.sh supply-chain` makes in target/supply-chain.

Both are the same for the same Cargo.lock: times come from SOURCE_DATE_EPOCH, identifiers from the content.
"""

import json
import os
import re
import subprocess
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What is shipped; the crates that they are made of are found from here.
SHIPPED = ("gst-mood", "gstfacedetect", "gstemotionclassify", "gstmoodplayer")
LICENSE_FILES = re.compile(r"^(licen[cs]e|copying|notice|copyright|unlicense)", re.IGNORECASE)


def linked_crates():
    """The packages that are linked into what is shipped, and for each the ids of those that it uses."""
    host = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    host = re.search(r"^host: (.*)$", host, re.MULTILINE).group(1)
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    # Build scripts, procedural macros and tests are not linked.
    is_macro = lambda package: any("proc-macro" in target["kind"] for target in package["targets"])
    uses = {
        node["id"]: sorted(
            dependency["pkg"]
            for dependency in node["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]) and not is_macro(packages[dependency["pkg"]])
        )
        for node in metadata["resolve"]["nodes"]
    }
    waiting = [id for id, package in packages.items() if package["name"] in SHIPPED and package["source"] is None]
    linked = set()
    while waiting:
        if (id := waiting.pop()) not in linked:
            linked.add(id)
            waiting.extend(uses[id])
    return {id: packages[id] for id in sorted(linked, key=lambda id: (packages[id]["name"], packages[id]["version"]))}, uses


def license_expression(package):
    """The SPDX expression; older crates write a slash for OR."""
    expression = package["license"]
    if not expression:
        sys.exit(f"{package['name']} {package['version']} does not state its licence")
    return expression.replace("/", " OR ")


def write_notices(path):
    crates, _ = linked_crates()
    foreign = [package for package in crates.values() if package["source"]]
    # Most texts are shared by several crates.
    users = {}
    for package in foreign:
        folder = Path(package["manifest_path"]).parent
        texts = [file for file in sorted(folder.iterdir()) if file.is_file() and LICENSE_FILES.match(file.name)]
        # A crate that offers a choice and has no text of its own is used under the one whose text does not name its authors.
        expression = license_expression(package)
        if not texts:
            texts = [ROOT / ("LICENSE-APACHE" if "Apache-2.0" in expression else "LICENSE-MIT")]
        for file in texts:
            text = file.read_text(encoding="utf-8", errors="replace").strip()
            if file == ROOT / "LICENSE-MIT":
                authors = ", ".join(package["authors"]) or f"the authors of {package['name']}"
                text = re.sub(r"(?m)^Copyright.*$", f"Copyright (c) {authors}", text)
            users.setdefault(text, []).append(package)
    lines = [
        "Rust crates that are linked into gst-mood and its GStreamer plugins, with their licences; then the texts of the licences.",
        "",
    ]
    lines += [
        f"{package['name']} {package['version']}: {license_expression(package)}"
        + (f", {package['repository']}" if package["repository"] else "")
        for package in foreign
    ]
    for text, packages in users.items():
        names = ", ".join(f"{package['name']} {package['version']}" for package in packages)
        lines += ["", "=" * 80, f"Of {names}:", "", text]
    path.write_text("\n".join(lines) + "\n")
    print(f"{path}: {len(foreign)} crates, {len(users)} texts")


def write_sbom(path):
    import tomllib

    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.license import LicenseExpression
    from cyclonedx.output.json import JsonV1Dot6
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from packageurl import PackageURL

    crates, uses = linked_crates()
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {(entry["name"], entry["version"]): entry.get("checksum") for entry in lock["package"]}

    def component(package):
        name, version = package["name"], package["version"]
        checksum = checksums.get((name, version)) if package["source"] else None
        reference = package["repository"]
        return Component(
            type=ComponentType.LIBRARY if package["source"] or name != "gst-mood" else ComponentType.APPLICATION,
            name=name,
            version=version,
            description=package["description"],
            bom_ref=f"pkg:cargo/{name}@{version}",
            purl=PackageURL("cargo", name=name, version=version) if package["source"] else None,
            licenses=[LicenseExpression(license_expression(package))],
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum)] if checksum else [],
            external_references=[ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(reference))] if reference else [],
        )

    components = {id: component(package) for id, package in crates.items()}
    main = next(components[id] for id, package in crates.items() if package["name"] == "gst-mood")
    setup = (ROOT / "scripts/setup.sh").read_text()
    version = re.search(r"^onnxruntime=(.*)$", setup, re.MULTILINE).group(1)
    runtime = Component(
        type=ComponentType.LIBRARY,
        name="onnxruntime",
        version=version,
        bom_ref=f"pkg:pypi/onnxruntime@{version}",
        purl=PackageURL("pypi", name="onnxruntime", version=version),
        description="ONNX Runtime, loaded at run time where the distribution has none",
        licenses=[LicenseExpression("MIT")],
    )
    bom = Bom(components=[each for each in components.values() if each is not main] + [runtime])
    bom.metadata.component = main
    bom.metadata.timestamp = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), timezone.utc)
    for id, used in components.items():
        bom.register_dependency(used, [components[other] for other in uses[id] if other in components])
    bom.register_dependency(main, [runtime])
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(sorted(each.bom_ref.value for each in components.values())))
    text = JsonV1Dot6(bom).output_as_string(indent=1)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"the bill of materials does not follow its schema: {error}")
    path.write_text(text + "\n")
    print(f"{path}: {len(components) + 1} components, valid CycloneDX 1.6")


if __name__ == "__main__":
    writers = {"notices": write_notices, "sbom": write_sbom}
    if len(sys.argv) != 3 or sys.argv[1] not in writers:
        sys.exit("usage: third_party.py notices|sbom FILE")
    writers[sys.argv[1]](Path(sys.argv[2]))
