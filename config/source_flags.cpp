// SPDX-License-Identifier: Apache-2.0
#include "config/names.hpp"
#include "config/sources.hpp"
#include "config/spelling.hpp"

#include <algorithm>

namespace eventweft::config {

void add_flag(collector& to, const flag& f, const std::filesystem::path& base) {
  const auto dot = f.key.rfind('.');
  std::string section = f.key.substr(0, std::min(dot, f.key.size()));
  const auto name = dot == std::string::npos ? "" : f.key.substr(dot + 1);
  std::string platform;
  for (auto named : {platform_section, processor_section})
    if (section.starts_with(named.substr(0, named.size() - 1))) {
      platform = section.substr(named.size() - 1);
      section = named;
      break;
    }
  const auto where = f.label + (f.label.ends_with(f.key) ? "" : ' ' + f.key);
  const auto* k = find_key(section, name);
  if (!k || (!platform.empty() && !fits(section, platform))) {
    std::vector<std::string> names;
    for (const auto& known : keys())
      names.push_back(key_path(known.section, platform, known.name));
    to.fault(
        with_hint(where + ": unknown key", nearest(f.key, names, slip(f.key))));
    return;
  }
  to.set(*k, platform, plain_text{f.value}, {rank::flag, f.label, base},
         k->type == kind::text || k->type == kind::store_url ||
                 k->type == kind::web_url
             ? f.label
             : where);
}

} // namespace eventweft::config
