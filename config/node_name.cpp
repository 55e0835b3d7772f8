// SPDX-License-Identifier: Apache-2.0
#include "config/node_name.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace eventweft {

namespace {

bool fit_for_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-';
}

} // namespace

expected<std::string> node_name(const config::cluster_settings& settings) {
  std::string name = settings.name;
  if (name.empty()) {
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) == 0)
      name = host.data();
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z')
        c = static_cast<char>(c + 32);
      if (!fit_for_a_name(c))
        c = '-';
    }
  }
  if (name.empty() || name.size() > 200 ||
      !std::ranges::all_of(name, fit_for_a_name))
    return fail(ec::bad_configuration,
                "[cluster] name: lower-case letters, digits, dots and hyphens, "
                "at most 200 of them");
  return name;
}

} // namespace eventweft
