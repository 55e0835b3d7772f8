// SPDX-License-Identifier: Apache-2.0
#include "config/collector.hpp"

#include "config/names.hpp"
#include "config/secret_files.hpp"

#include <utility>
#include <variant>

namespace eventweft::config {

void collector::set(const key& k, const std::string& name, const raw_value& raw,
                    const source& from, const std::string& where) {
  const auto canonical = k.alias_of.empty() ? k.name : k.alias_of;
  const auto path = key_path(k.section, name, canonical);
  const auto target = k.at(result_.values, name);
  const bool stronger = strength(path) < from.strength;
  if (stronger) {
    if (auto* const* list = std::get_if<std::vector<std::string>*>(&target))
      (*list)->clear();
    else if (auto* const* rules =
                 std::get_if<std::vector<priority_rule>*>(&target))
      (*rules)->clear();
    else if (auto* const* text = std::get_if<std::string*>(&target);
             text && k.type == kind::secret_file)
      (*text)->clear(); // an empty path leaves it so
  }
  const auto bad = k.type == kind::secret_file
                       ? assign_from_files(k, target, raw, from.base)
                       : assign(k, target, raw);
  if (bad) {
    fault(where + ": " + *bad);
    return;
  }
  if (const auto* tables = std::get_if<std::vector<text_table>>(&raw);
      tables && k.type == kind::correlation_rules)
    for (const auto& table : *tables)
      for (const auto& member : table.members)
        if (member.name == "name")
          result_.sections[path + '.' + member.value] =
              from.label.substr(0, from.label.rfind(':') + 1) +
              std::to_string(table.line);
  ranks_[path] = from.strength;
  auto& origin = result_.origins[path];
  // Lists of the same strength add up.
  origin = !stronger && !origin.empty() &&
                   std::holds_alternative<std::vector<std::string>*>(target)
               ? origin + ", " + from.label
               : from.label;
}

void collector::fault(std::string sentence) {
  faults_.push_back(std::move(sentence));
}

void collector::unreadable(std::string sentence) {
  all_read_ = false;
  fault(std::move(sentence));
}

void collector::fault_at(std::string_view section, std::string_view name,
                         std::string_view key, const std::string& what) {
  const auto origin = result_.origins.find(key_path(section, name, key));
  std::string where =
      origin == result_.origins.end() ? "" : origin->second + ": ";
  fault(where + heading(section, name) + ' ' + std::string{key} + ": " + what);
}

rank collector::strength(const std::string& path) const {
  const auto found = ranks_.find(path);
  return found == ranks_.end() ? rank::none : found->second;
}

reading collector::take(std::optional<std::filesystem::path> path) && {
  result_.file = std::move(path);
  return {std::move(result_), std::move(faults_), all_read_};
}

} // namespace eventweft::config
