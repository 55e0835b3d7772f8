// SPDX-License-Identifier: Apache-2.0
#include "correlation/lookalikes.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace eventweft::correlation {

namespace {

// Sorted. With any number these are standards, never issues.
constexpr std::string_view always[] = {
    "AGPL", "BCP",  "COVID", "CVE",  "CWE",  "EBCDIC", "ECMA", "EIP", "ERC",
    "FIPS", "GHSA", "GPL",   "ICD",  "IEC",  "IEEE",   "ISBN", "ISO", "ISSN",
    "JEP",  "JSR",  "KOI",   "LGPL", "NIST", "PEP",    "PKCS", "RFC", "SARS",
    "SHA",  "SHA2", "SHA3",  "UCS",  "USC",  "UTF",    "WCAG", "XEP"};

struct pair {
  std::string_view prefix;
  uint64_t number;
};

// Sorted by prefix.
constexpr pair exact[] = {
    {"AES", 128},  {"AES", 192},   {"AES", 256},     {"AMD", 64},
    {"ARM", 64},   {"ASCII", 7},   {"BASE", 32},     {"BASE", 58},
    {"BASE", 64},  {"BASE", 85},   {"CP", 1252},     {"CRC", 32},
    {"CRC", 16},   {"CURVE", 448}, {"CURVE", 25519}, {"DO", 178},
    {"DO", 254},   {"EC", 2},      {"ED", 25519},    {"ES", 256},
    {"GB", 18030}, {"GPT", 3},     {"GPT", 5},       {"GPT", 4},
    {"HS", 256},   {"HTTP", 3},    {"HTTP", 2},      {"HTTP", 1},
    {"INT", 32},   {"INT", 64},    {"IPV", 4},       {"IPV", 6},
    {"LATIN", 1},  {"MD", 5},      {"MD", 4},        {"MP", 3},
    {"MP", 4},     {"P", 256},     {"P", 384},       {"PCI", 3},
    {"ROT", 13},   {"RS", 256},    {"RSA", 1024},    {"RSA", 4096},
    {"RSA", 2048}, {"SOC", 2},     {"SOC", 1},       {"UINT", 64},
    {"UINT", 8},   {"UINT", 32},   {"WIN", 32},      {"WIN", 64},
    {"X", 86},     {"X", 448},     {"X", 509},       {"X", 25519},
    {"X86", 32},   {"X86", 64},    {"XCHACHA", 20},  {"XSALSA", 20}};

// Sorted. What people write with a number after a hyphen.
constexpr std::string_view unlikely[] = {
    "A",      "AB",      "ADR",     "AES",    "AGE",     "ALGO",    "ALPINE",
    "AMD",    "ANDROID", "ANNEX",   "ANSI",   "APR",     "ARGON",   "ARM",
    "ARMV",   "ART",     "ASCII",   "ASME",   "ASTM",    "ATM",     "AUG",
    "AVX",    "B",       "BASE",    "BATCH",  "BETA",    "BGP",     "BIP",
    "BIT",    "BLAKE",   "BLOCK",   "BOM",    "BSD",     "BUG",     "BUILD",
    "C",      "CAN",     "CASE",    "CBC",    "CDDL",    "CENTOS",  "CET",
    "CHACHA", "CHAPTER", "CHROME",  "CISPR",  "CLANG",   "CLASS",   "CLAUDE",
    "CO",     "COBOL",   "CODEC",   "COL",    "CP",      "CPP",     "CRC",
    "CSS",    "CUDA",    "CVSS",    "CXX",    "D",       "DAY",     "DB",
    "DDR",    "DEBIAN",  "DEC",     "DHCP",   "DICOM",   "DIN",     "DOCSIS",
    "DOTNET", "DOUBLE",  "DPI",     "DSA",    "DVB",     "E",       "EAN",
    "EAP",    "EC",      "ECC",     "ECDSA",  "ED",      "EDI",     "EIA",
    "EMV",    "EN",      "EPL",     "ERROR",  "ES",      "EST",     "ETSI",
    "EU",     "EUPL",    "EXAMPLE", "F",      "FAT",     "FEB",     "FEDORA",
    "FHIR",   "FIG",     "FIGURE",  "FLOAT",  "FOO",     "FORTRAN", "FTP",
    "FY",     "G",       "GB",      "GCC",    "GCM",     "GEMINI",  "GEN",
    "GH",     "GMT",     "GO",      "GPT",    "GPU",     "GRADE",   "GROUP",
    "GTIN",   "GTX",     "H",       "H1",     "HALF",    "HDMI",    "HEVC",
    "HIPAA",  "HL",      "HMAC",    "HOST",   "HS",      "HTML",    "HTTP",
    "HTTPS",  "I",       "IATA",    "ICAO",   "IKE",     "IMAP",    "INT",
    "IOS",    "IP",      "IPSEC",   "IPV",    "ISA",     "ISIN",    "ISSUE",
    "ITEM",   "ITU",     "J",       "JAN",    "JAVA",    "JBIG",    "JDK",
    "JIRA",   "JIS",     "JPEG",    "JPG",    "JUL",     "JUN",     "K",
    "KB",     "KDF",     "KERNEL",  "KEY",    "L",       "LATIN",   "LAYER",
    "LDAP",   "LEVEL",   "LFU",     "LINE",   "LINUX",   "LLAMA",   "LLVM",
    "LOG",    "LOT",     "LRU",     "LTE",    "LTS",     "M",       "MACOS",
    "MAR",    "MAX",     "MAY",     "MB",     "MD",      "MIL",     "MIME",
    "MIN",    "MODBUS",  "MODE",    "MP",     "MPEG",    "MPL",     "MQTT",
    "MYSQL",  "N",       "NACHA",   "NET",    "NFS",     "NODE",    "NOTE",
    "NOV",    "NPM",     "NTFS",    "NTP",    "NUM",     "NVME",    "O",
    "OAUTH",  "OCT",     "OPENSSL", "OPTION", "OSI",     "OSPF",    "OWASP",
    "P",      "PAGE",    "PART",    "PASS",   "PATCH",   "PBKDF",   "PCI",
    "PCIE",   "PCM",     "PDF",     "PDT",    "PG",      "PHASE",   "PHP",
    "PLAN",   "PM",      "POD",     "POLY",   "POP",     "PORT",    "POSIX",
    "PR",     "PSR",     "PST",     "PY",     "PYTHON",  "Q",       "QR",
    "QT",     "QUIC",    "R",       "RACK",   "RAID",    "RAILS",   "RC",
    "REACT",  "REDIS",   "REGION",  "REL",    "RHEL",    "RIP",     "RISC",
    "ROOM",   "ROT",     "ROUND",   "ROW",    "RPC",     "RS",      "RSA",
    "RTX",    "RUBY",    "RV",      "S",      "SAE",     "SALSA",   "SAML",
    "SCALE",  "SCRYPT",  "SCSI",    "SEC",    "SEP",     "SERVER",  "SHA",
    "SHAKE",  "SHARD",   "SIZE",    "SLES",   "SLOT",    "SMB",     "SMTP",
    "SNMP",   "SOAP",    "SOC",     "SPDX",   "SPF",     "SPRINT",  "SQL",
    "SSE",    "SSH",     "SSL",     "STAGE",  "STD",     "STEP",    "STORY",
    "SUSE",   "SVG",     "T",       "TAB",    "TABLE",   "TASK",    "TCP",
    "TEST",   "TIA",     "TICKET",  "TIER",   "TLS",     "TOP",     "TOTP",
    "TRACK",  "TS",      "TYPE",    "U",      "UBUNTU",  "UDP",     "UHF",
    "UINT",   "UL",      "UN",      "UNIT",   "UPC",     "US",      "USB",
    "UTC",    "UUID",    "V",       "VER",    "VERSION", "VGA",     "VLAN",
    "VM",     "VP",      "VT",      "VUE",    "W",       "WASM",    "WAVE",
    "WEEK",   "WIN",     "WINDOWS", "WORKER", "WPA",     "X",       "XHTML",
    "XML",    "XSD",     "Y",       "YAML",   "YEAR",    "Z",       "ZIP",
    "ZLIB",   "ZONE"};

static_assert(std::is_sorted(std::begin(always), std::end(always)));
static_assert(std::is_sorted(std::begin(unlikely), std::end(unlikely)));

bool contains(const auto& sorted, std::string_view text) noexcept {
  return std::binary_search(std::begin(sorted), std::end(sorted), text);
}

} // namespace

id_trust trust_in_id(std::string_view prefix, uint64_t number) noexcept {
  if (contains(always, prefix))
    return id_trust::never;
  for (const auto& p : exact)
    if (p.prefix == prefix && p.number == number)
      return id_trust::never;
  // A year is a version or a date more often than an issue.
  if (number >= 1990 && number <= 2035 && prefix.size() < 3)
    return id_trust::if_known;
  return contains(unlikely, prefix) ? id_trust::if_known : id_trust::open;
}

} // namespace eventweft::correlation
