// SPDX-License-Identifier: Apache-2.0
#include "config/loader.hpp"
#include "config/names.hpp"
#include "config/shown.hpp"

#include <algorithm>

namespace eventweft::config {

namespace {

void append_key(std::string& out, const key& k, const std::string& platform,
                settings& values,
                const std::map<std::string, std::string>& origins) {
  constexpr size_t column = 40;
  std::string line{k.name};
  line += " = " + shown(k, k.at(values, platform));
  if (line.size() < column)
    line.resize(column, ' ');
  const auto origin = origins.find(key_path(k.section, platform, k.name));
  out += line + " # " + (origin == origins.end() ? "default" : origin->second) +
         '\n';
}

} // namespace

std::string describe(const effective& e) {
  // Members are reached through pointers to non-const; nothing is changed.
  settings values = e.values;
  std::string out = "# file: " + (e.file ? e.file->string() : "none") + '\n';
  std::string_view section;
  for (const auto& k : keys()) {
    if (is_named(k.section) || !k.alias_of.empty())
      continue;
    if (k.section != section) {
      section = k.section;
      out.append("\n[").append(section).append("]\n");
    }
    append_key(out, k, {}, values, e.origins);
  }
  const auto append_named = [&](std::string_view named,
                                const std::string& name) {
    out.append("\n").append(heading(named, name)).append("\n");
    for (const auto& k : keys())
      if (k.section == named && k.alias_of.empty())
        append_key(out, k, name, values, e.origins);
  };
  for (const auto& [name, unused] : e.values.platforms)
    append_named(platform_section, name);
  for (const auto& [name, unused] : e.values.processors)
    append_named(processor_section, name);
  return out;
}

} // namespace eventweft::config
