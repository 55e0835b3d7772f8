// SPDX-License-Identifier: Apache-2.0
#include "config/loader.hpp"

namespace eventweft::config {

namespace {

using places = std::map<std::string, std::string>;

/// What the message says before the first character of `ends`.
std::string_view word_of(std::string_view text, std::string_view ends) {
  return text.substr(0, text.find_first_of(ends));
}

const std::string* find_place(const places& in, const std::string& name) {
  const auto found = in.find(name);
  return found == in.end() ? nullptr : &found->second;
}

/// Where the first key of the section is from: for what only the environment
/// or a flag says.
const std::string* any_key_of(const effective& e, const std::string& section) {
  const auto first = e.origins.lower_bound(section + '.');
  return first != e.origins.end() && first->first.starts_with(section + '.')
             ? &first->second
             : nullptr;
}

const std::string* place_of(const effective& e, const std::string& section,
                            std::string_view key) {
  if (!key.empty())
    if (const auto* at =
            find_place(e.origins, section + '.' + std::string{key}))
      return at;
  if (const auto* at = find_place(e.sections, section))
    return at;
  return any_key_of(e, section);
}

} // namespace

error located(const effective& e, error fault) {
  const std::string_view text = fault.message;
  if (!text.starts_with('['))
    return fault;
  const auto end = text.find(']');
  if (end == std::string_view::npos)
    return fault;
  const std::string section{text.substr(1, end - 1)};
  const auto rest = text.substr(end + 1);
  const auto key = rest.starts_with(' ') ? word_of(rest.substr(1), ": ")
                                         : std::string_view{};
  if (const auto* at = place_of(e, section, key))
    fault.message = *at + ": " + fault.message;
  return fault;
}

} // namespace eventweft::config
