// SPDX-License-Identifier: Apache-2.0
#include "config/keys.hpp"
#include "config/names.hpp"
#include "config/shown.hpp"
#include "config/token_owners.hpp"
#include "config/units.hpp"
#include "tests/unit/config/support.hpp"

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

namespace eventweft::config {
namespace {

std::string text_of(const std::string& file) {
  std::ifstream in{EVENTWEFT_SOURCE_DIR "/" + file};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string sample() {
  return text_of("config/eventweft.sample.toml");
}

/// What `pattern` finds between the two texts, in its order.
std::vector<std::string> names_between(const std::string& text,
                                       std::string_view from,
                                       std::string_view to,
                                       const std::string& pattern) {
  const auto start = text.find(from);
  const auto end = text.find(to, start);
  if (start == text.npos || end == text.npos)
    return {};
  const auto part = text.substr(start + from.size(), end - start - from.size());
  const std::regex name{pattern};
  std::vector<std::string> out;
  for (std::sregex_iterator i{part.begin(), part.end(), name}, last; i != last;
       ++i)
    out.push_back((*i)[1]);
  return out;
}

/// The lines `#key = value` of the sample without their `#`; those of aliases
/// only if asked for, since their values are examples and not defaults.
std::string uncommented(bool aliases) {
  std::istringstream in{sample()};
  std::string out;
  std::string section;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('['))
      section = line.substr(1, line.find(']') - 1);
    const bool assignment =
        line.size() > 1 && line[0] == '#' && line[1] != ' ' && line[1] != '#';
    if (assignment) {
      const auto name = line.substr(1, line.find(' ') - 1);
      const auto* k = find_key(
          section.starts_with("platforms.")    ? platform_section
          : section.starts_with("processors.") ? processor_section
                                               : std::string_view{section},
          name);
      if (!k || k->alias_of.empty() || aliases)
        line.erase(0, 1);
    }
    out += line + '\n';
  }
  return out;
}

TEST(Sample, LoadsAsItIs) {
  const auto e = from_text(sample());
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_TRUE(e->origins.empty());
}

TEST(Sample, HoldsEveryDefault) {
  auto e = from_text(uncommented(false));
  ASSERT_TRUE(e) << e.error().message;
  settings defaults;
  for (const auto& k : keys()) {
    // An effective URL is never empty; the sample's is checked below.
    if (k.type == kind::store_url)
      continue;
    // An empty kind is what command or url says it is.
    if (k.section == processor_section && k.name == "kind")
      continue;
    const std::string name =
        k.section == processor_section ? "notify" : "github";
    EXPECT_EQ(shown(k, k.at(e->values, name)), shown(k, k.at(defaults, name)))
        << k.section << ' ' << k.name;
  }
  EXPECT_NE(sample().find("#url = \"\"\n"), std::string::npos);
  EXPECT_EQ(defaults.store.url, "");
}

TEST(Sample, HoldsEveryKeyOfTheTable) {
  std::set<std::string> lines;
  std::istringstream in{uncommented(true)};
  std::string section;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('['))
      section = line.substr(1, line.find(']') - 1);
    else if (!line.starts_with('#') && line.find(" = ") != std::string::npos)
      lines.insert(section + '.' + line.substr(0, line.find(' ')));
  }
  for (const auto& k : keys()) {
    const auto where = section_path(
        k.section, k.section == processor_section ? "notify" : "github");
    EXPECT_TRUE(lines.contains(where + '.' + std::string{k.name}))
        << where << ' ' << k.name;
  }
  EXPECT_EQ(lines.size(), keys().size()) << "a key that is not in the table";
}

TEST(Sample, NamesEveryRange) {
  const auto text = sample();
  for (const auto& k : keys()) {
    if (k.max == 0)
      continue;
    std::string range;
    if (k.type == kind::whole)
      range = std::to_string(k.min) + " to " + std::to_string(k.max);
    else if (k.type == kind::seconds)
      range = seconds_text(milliseconds{static_cast<int64_t>(k.min)}) + " to " +
              seconds_text(milliseconds{static_cast<int64_t>(k.max)});
    else
      range = bytes_text(k.min) + " to " + bytes_text(k.max);
    EXPECT_NE(text.find(range), std::string::npos)
        << k.section << ' ' << k.name << ": " << range;
  }
}

TEST(Sample, NamesEveryOwnerOfTokensAsTheDocsDo) {
  const std::vector<std::string> owners{token_owners.begin(),
                                        token_owners.end()};
  EXPECT_EQ(names_between(sample(), "\"all\", or any of", "#redact_tokens",
                          "\"([a-z_]+)\""),
            owners);
  EXPECT_EQ(names_between(text_of("docs/platforms.md"),
                          "`redact_tokens` is `[\"all\"]` or any of", ". Each",
                          "`([a-z_]+)`"),
            owners);
}

} // namespace
} // namespace eventweft::config
