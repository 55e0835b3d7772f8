// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/text_template.hpp"
#include "messages/ascii.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft::platforms {

/// Something that is wrong, and where. Reading goes on after it with values
/// that do no harm.
struct fault {
  uint32_t line = 0;
  /// The key.
  std::string path;
  std::string why;
};
using fault_list = std::vector<fault>;

template <class T>
using choice = std::pair<std::string_view, T>;

inline uint32_t line_of(const toml::node& node) noexcept {
  return node.source().begin.line;
}

/// One table, each of whose keys must be asked for.
class table_reader {
 public:
  table_reader(const toml::table& table, std::string where, fault_list& faults)
      : table_(table), where_(std::move(where)), faults_(faults) {}

  const toml::node* find(std::string_view key) {
    asked_.emplace_back(key);
    return table_.get(key);
  }

  void refuse(std::string_view key, std::string_view why) {
    const auto* node = table_.get(key);
    note(node ? line_of(*node) : line_of(table_), key, why);
  }

  std::string text(std::string_view key, std::string otherwise = {}) {
    const auto* node = find(key);
    if (!node)
      return otherwise;
    if (const auto* value = node->as_string())
      return value->get();
    refuse(key, "must be a text");
    return otherwise;
  }

  std::string needed_text(std::string_view key) {
    auto out = text(key);
    if (out.empty())
      refuse(key, "is missing or empty");
    return out;
  }

  int64_t number(std::string_view key, int64_t otherwise, int64_t low,
                 int64_t high) {
    const auto* node = find(key);
    if (!node)
      return otherwise;
    const auto* value = node->as_integer();
    if (value && value->get() >= low && value->get() <= high)
      return value->get();
    refuse(key, "must be a whole number from " + std::to_string(low) + " to " +
                    std::to_string(high));
    return low;
  }

  bool boolean(std::string_view key, bool otherwise) {
    const auto* node = find(key);
    if (!node)
      return otherwise;
    if (const auto* value = node->as_boolean())
      return value->get();
    refuse(key, "must be true or false");
    return otherwise;
  }

  /// A text or a list of texts.
  std::vector<std::string> texts(std::string_view key) {
    const auto* node = find(key);
    if (!node)
      return {};
    if (const auto* one = node->as_string())
      return {one->get()};
    std::vector<std::string> out;
    bool good = node->is_array();
    if (good)
      for (const auto& item : *node->as_array()) {
        good = good && item.is_string();
        if (good)
          out.push_back(item.as_string()->get());
      }
    if (!good)
      refuse(key, "must be a text or a list of texts");
    return out;
  }

  text_template pattern(std::string_view key, const std::string& text) {
    auto parsed = text_template::parse(text);
    if (parsed)
      return std::move(*parsed);
    refuse(key, parsed.error().message);
    return {};
  }

  alternatives patterns(std::string_view key) {
    alternatives out;
    for (const auto& one : texts(key))
      out.templates.push_back(pattern(key, one));
    return out;
  }

  template <class T>
  T one_of(std::string_view key, const std::string& value,
           std::initializer_list<choice<T>> choices) {
    std::string names;
    for (const auto& [name, result] : choices) {
      if (name == value)
        return result;
      names.append(names.empty() ? "" : ", ").append(name);
    }
    refuse(key, "\"" + value + "\" is not one of " + names);
    return choices.begin()->second;
  }

  /// A header's name in lower case.
  std::string header(std::string_view key, std::string_view name) {
    auto out = lower_case(name);
    const bool valid = !out.empty() && out.size() <= 100 &&
                       std::all_of(out.begin(), out.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') ||
                                (c >= '0' && c <= '9') || c == '-' || c == '_';
                       });
    if (valid)
      return out;
    refuse(key, "\"" + std::string{name} + "\" is not a header's name");
    return "x";
  }

  const toml::table* table(std::string_view key) {
    const auto* node = find(key);
    if (node && !node->is_table())
      refuse(key, "must be a table");
    return node ? node->as_table() : nullptr;
  }

  std::vector<const toml::table*> tables(std::string_view key) {
    const auto* node = find(key);
    std::vector<const toml::table*> out;
    if (!node)
      return out;
    bool good = node->is_array();
    if (good)
      for (const auto& item : *node->as_array()) {
        good = good && item.is_table();
        if (good)
          out.push_back(item.as_table());
      }
    if (!good)
      refuse(key, "must be a list of tables ([[" + std::string{key} + "]])");
    return out;
  }

  /// Every key that nobody asked for is a mistake.
  void finish() {
    for (const auto& [key, value] : table_)
      if (std::find(asked_.begin(), asked_.end(), key.str()) == asked_.end())
        note(key.source().begin.line, key.str(), "unknown key");
  }

  fault_list& faults() const noexcept { return faults_; }

 private:
  void note(uint32_t line, std::string_view key, std::string_view why) {
    auto place = path(key);
    // The first thing that is said of a key explains what follows from it.
    if (std::ranges::find(faults_, place, &fault::path) == faults_.end())
      faults_.push_back({line, std::move(place), std::string{why}});
  }

  std::string path(std::string_view key) const {
    return where_.empty() ? std::string{key} : where_ + "." + std::string{key};
  }

  const toml::table& table_;
  std::string where_;
  fault_list& faults_;
  std::vector<std::string> asked_;
};

} // namespace eventweft::platforms
