// SPDX-License-Identifier: Apache-2.0
#include "correlation/lookalikes.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace eventweft::correlation {

namespace {

// Sorted. With any number these are standards, never issues.
constexpr std::string_view always[] = {
    "BCP",  "COVID", "CVE",  "CWE", "ECMA", "EIP", "ERC", "FIPS", "GHSA",
    "IEC",  "IEEE",  "ISBN", "ISO", "ISSN", "JEP", "JSR", "NIST", "PEP",
    "PKCS", "RFC",   "SARS", "SHA", "UCS",  "USC", "UTF", "WCAG", "XEP"};

struct pair {
  std::string_view prefix;
  uint64_t number;
};

// Sorted by prefix.
constexpr pair exact[] = {
    {"AES", 128},  {"AES", 192},  {"AES", 256}, {"AMD", 64},   {"ARM", 64},
    {"ASCII", 7},  {"BASE", 32},  {"BASE", 58}, {"BASE", 64},  {"BASE", 85},
    {"CP", 1252},  {"CRC", 16},   {"CRC", 32},  {"ED", 25519}, {"EC", 2},
    {"ES", 256},   {"GB", 18030}, {"GPT", 3},   {"GPT", 4},    {"GPT", 5},
    {"HS", 256},   {"HTTP", 1},   {"HTTP", 2},  {"HTTP", 3},   {"INT", 32},
    {"INT", 64},   {"IPV", 4},    {"IPV", 6},   {"LATIN", 1},  {"MD", 4},
    {"MD", 5},     {"MP", 3},     {"MP", 4},    {"P", 256},    {"P", 384},
    {"PCI", 3},    {"ROT", 13},   {"RS", 256},  {"RSA", 1024}, {"RSA", 2048},
    {"RSA", 4096}, {"SOC", 1},    {"SOC", 2},   {"UINT", 32},  {"UINT", 64},
    {"UINT", 8},   {"WIN", 32},   {"WIN", 64},  {"X", 509},    {"X", 86}};

// Sorted. What people write with a number after a hyphen.
constexpr std::string_view unlikely[] = {
    "A",       "AB",     "ADR",    "AES",    "AGE",    "ALGO",    "AMD",
    "ANDROID", "ANNEX",  "APR",    "ARM",    "ART",    "ASCII",   "AUG",
    "B",       "BASE",   "BATCH",  "BETA",   "BIP",    "BIT",     "BLAKE",
    "BLOCK",   "BUILD",  "C",      "CASE",   "CET",    "CHAPTER", "CHROME",
    "CLASS",   "CLAUDE", "COL",    "CP",     "CRC",    "CSS",     "D",
    "DAY",     "DB",     "DDR",    "DEBIAN", "DEC",    "DIN",     "DOUBLE",
    "E",       "EC",     "ED",     "ERROR",  "ES",     "EST",     "EXAMPLE",
    "F",       "FEB",    "FIG",    "FIGURE", "FLOAT",  "FOO",     "FY",
    "G",       "GB",     "GEMINI", "GEN",    "GH",     "GMT",     "GO",
    "GPT",     "GPU",    "GRADE",  "GROUP",  "GTX",    "H",       "HALF",
    "HOST",    "HS",     "HTML",   "HTTP",   "HTTPS",  "I",       "INT",
    "IOS",     "IP",     "IPV",    "ITEM",   "J",      "JAN",     "JAVA",
    "JDK",     "JUL",    "JUN",    "K",      "KB",     "KEY",     "L",
    "LATIN",   "LAYER",  "LEVEL",  "LINE",   "LLAMA",  "LOG",     "LOT",
    "M",       "MAR",    "MAX",    "MAY",    "MB",     "MD",      "MIN",
    "MODE",    "MP",     "MPEG",   "N",      "NODE",   "NOTE",    "NOV",
    "NUM",     "O",      "OAUTH",  "OCT",    "OPTION", "P",       "PAGE",
    "PART",    "PASS",   "PCI",    "PCIE",   "PDT",    "PHASE",   "PHP",
    "PLAN",    "PM",     "POD",    "PORT",   "PR",     "PST",     "PY",
    "PYTHON",  "Q",      "R",      "RACK",   "RC",     "REACT",   "REGION",
    "REL",     "ROOM",   "ROT",    "ROUND",  "ROW",    "RS",      "RSA",
    "RTX",     "RUBY",   "S",      "SCALE",  "SEP",    "SERVER",  "SHA",
    "SHARD",   "SIZE",   "SLOT",   "SOC",    "SPRINT", "SSL",     "STAGE",
    "STEP",    "STORY",  "T",      "TAB",    "TABLE",  "TASK",    "TEST",
    "TIER",    "TLS",    "TOP",    "TRACK",  "TYPE",   "U",       "UBUNTU",
    "UINT",    "UNIT",   "USB",    "UTC",    "V",      "VER",     "VERSION",
    "VLAN",    "VM",     "VUE",    "W",      "WAVE",   "WEEK",    "WIN",
    "WORKER",  "WPA",    "X",      "Y",      "YEAR",   "Z",       "ZONE"};

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
