// SPDX-License-Identifier: Apache-2.0
#include "config/names.hpp"
#include "config/sources.hpp"
#include "config/spelling.hpp"
#include "config/toml_reader.hpp"

namespace eventweft::config {

namespace {

/// "[server]" for a word that may be a slip of it, or nothing.
std::string section_like(std::string_view word) {
  const auto hint = nearest(word, section_names(), slip(word));
  return hint.empty() ? hint : "[" + hint + "]";
}

/// An entry that stands for its section alone.
void add_section_alone(collector& to, const file_entry& e, const source& from,
                       const std::string& where) {
  if (e.section == processor_section && e.platform.empty()) {
    to.fault(from.label + ": [[processors]]: an entry needs a name, such as "
                          "name = \"notify\"");
    return;
  }
  const auto [first, fresh] = to.result().sections.emplace(
      section_path(e.section, e.platform), from.label);
  // Nothing else can be there twice in TOML.
  if (!fresh && e.section == processor_section)
    to.fault(where + ": there is a processor of this name already, at " +
             first->second);
  if (e.section == platform_section) {
    if (fits(e.section, e.platform))
      to.result().values.platforms[e.platform];
    else
      to.fault(where + ": a platform's name is made of a-z, 0-9, _ and -");
  } else if (e.section == processor_section) {
    // One without any key is none.
    if (!fits(e.section, e.platform))
      to.fault(where + ": a processor's name is made of letters, "
                       "digits, _, . and -");
  } else if (key_names(e.section).empty()) {
    to.fault(with_hint(where + ": unknown section", section_like(e.section)));
  }
}

void add_entry(collector& to, const file_entry& e, const source& from) {
  if (e.section.empty()) {
    to.fault(with_hint(from.label + ": " + e.name +
                           ": unknown key; keys belong into a section",
                       section_like(e.name)));
    return;
  }
  const auto where = from.label + ": " + heading(e.section, e.platform);
  if (e.section == "platforms" || e.section == "processors") {
    to.fault(where + ' ' + e.name +
             (e.section == "platforms"
                  ? ": keys belong into a platform's section, "
                    "such as [platforms.github]"
                  : ": keys belong into a processor's section, "
                    "such as [processors.notify]"));
    return;
  }
  if (e.name.empty()) {
    add_section_alone(to, e, from, where);
    return;
  }
  if (!fits(e.section, e.platform))
    return;
  if (const auto* k = find_key(e.section, e.name)) {
    to.set(*k, e.platform, e.value, from, where + ' ' + e.name);
    return;
  }
  const auto names = key_names(e.section);
  // The unknown section has been told already.
  if (!names.empty())
    to.fault(with_hint(where + ' ' + e.name + ": unknown key",
                       nearest(e.name, names, slip(e.name))));
}

} // namespace

void add_file(collector& to, std::string_view text, std::string_view name,
              const std::filesystem::path& base) {
  const auto entries = read_toml(text, name);
  if (!entries) {
    to.unreadable(entries.error().message);
    return;
  }
  for (const auto& e : *entries)
    add_entry(
        to, e,
        {rank::file, std::string{name} + ':' + std::to_string(e.line), base});
}

} // namespace eventweft::config
