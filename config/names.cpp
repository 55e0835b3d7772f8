// SPDX-License-Identifier: Apache-2.0
#include "config/names.hpp"

#include <cctype>

namespace eventweft::config {

namespace {

bool is_platform_name(std::string_view name) {
  constexpr size_t longest = 64;
  return !name.empty() && name.size() <= longest &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") ==
             std::string_view::npos;
}

bool is_processor_name(std::string_view name) {
  constexpr size_t longest = 100;
  return !name.empty() && name.size() <= longest &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                                "uvwxyz0123456789_.-") ==
             std::string_view::npos;
}

} // namespace

std::string section_path(std::string_view section, std::string_view name) {
  if (!is_named(section))
    return std::string{section};
  return std::string{section.substr(0, section.size() - 1)}.append(name);
}

std::string heading(std::string_view section, std::string_view name) {
  return "[" + section_path(section, name) + "]";
}

std::string key_path(std::string_view section, std::string_view name,
                     std::string_view key) {
  return section_path(section, name).append(".").append(key);
}

std::string environment_name(const key& k, std::string_view platform) {
  std::string result = "EVENTWEFT_";
  result.append(section_path(k.section, platform));
  result.append("_").append(k.name);
  for (char& c : result)
    c = c == '-' || c == '.'
            ? '_'
            : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

bool fits(std::string_view section, std::string_view name) {
  return section == platform_section    ? is_platform_name(name)
         : section == processor_section ? is_processor_name(name)
                                        : true;
}

std::vector<std::string> section_names() {
  std::vector<std::string> names{"platforms", "processors"};
  for (const auto& k : keys())
    if (!is_named(k.section) && names.back() != k.section)
      names.emplace_back(k.section);
  return names;
}

std::vector<std::string> key_names(std::string_view section) {
  std::vector<std::string> names;
  for (const auto& k : keys())
    if (k.section == section)
      names.emplace_back(k.name);
  return names;
}

} // namespace eventweft::config
