// SPDX-License-Identifier: Apache-2.0
#include "config/toml_reader.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

namespace eventweft::config {

namespace {

std::string type_name(const toml::node& node) {
  switch (node.type()) {
  case toml::node_type::integer:
  case toml::node_type::floating_point:
    return "a number";
  case toml::node_type::boolean:
    return "a truth value";
  case toml::node_type::table:
    return "a table";
  case toml::node_type::array:
    return "a list";
  case toml::node_type::date:
    return "a date";
  case toml::node_type::time:
    return "a time";
  case toml::node_type::date_time:
    return "a date and time";
  default:
    return "a value of another type";
  }
}

// Numbers and truths as their text, lists and tables as JSON.
std::string text_of(const toml::node& node) {
  if (const auto* text = node.as_string())
    return text->get();
  std::ostringstream out;
  if (node.is_table())
    out << toml::json_formatter{*node.as_table()};
  else if (node.is_array())
    out << toml::json_formatter{*node.as_array()};
  else if (const auto* whole = node.as_integer())
    out << whole->get();
  else if (const auto* real = node.as_floating_point())
    out << real->get();
  else if (const auto* truth = node.as_boolean())
    out << (truth->get() ? "true" : "false");
  return out.str();
}

// With `any_values` a table may hold more than texts.
raw_value tables_of(const toml::array& list, bool any_values) {
  std::vector<text_table> tables;
  for (const auto& item : list) {
    const auto* table = item.as_table();
    if (!table)
      return other_type{"a list that holds more than tables"};
    auto& out = tables.emplace_back();
    out.line = item.source().begin.line;
    for (const auto& [name, value] : *table) {
      if (!any_values && !value.is_string())
        return other_type{"a table that holds more than texts"};
      out.members.push_back(
          {std::string{name.str()}, text_of(value),
           value.is_string() ? std::string{} : type_name(value)});
    }
  }
  return tables;
}

raw_value to_raw(const toml::node& node, bool any_values = false) {
  if (const auto* text = node.as_string())
    return text->get();
  if (const auto* whole = node.as_integer())
    return whole->get();
  if (const auto* real = node.as_floating_point())
    return real->get();
  if (const auto* truth = node.as_boolean())
    return truth->get();
  if (const auto* list = node.as_array()) {
    if (!list->empty() && list->front().is_table())
      return tables_of(*list, any_values);
    std::vector<std::string> texts;
    for (const auto& item : *list) {
      const auto* text = item.as_string();
      if (!text)
        return other_type{"a list that holds more than texts"};
      texts.push_back(text->get());
    }
    return texts;
  }
  return other_type{type_name(node)};
}

void add_section(std::vector<file_entry>& out, const toml::table& table,
                 const std::string& section, const std::string& platform,
                 uint32_t line) {
  out.push_back({section, platform, {}, other_type{"a table"}, line});
  for (const auto& [name, value] : table) {
    const uint32_t at = name.source().begin.line;
    const auto* inner = value.as_table();
    // `[server.tls]` is a section of its own.
    if (inner && platform.empty())
      add_section(out, *inner, section + '.' + std::string{name.str()}, {}, at);
    else
      out.push_back({section, platform, std::string{name.str()},
                     to_raw(value, section == "correlation"), at});
  }
}

/// `[[processors]]` with a `name` is `[processors.NAME]`; without one, a
/// section of an empty name.
void add_listed(std::vector<file_entry>& out, const toml::node& item,
                const std::string& name) {
  const uint32_t line = item.source().begin.line;
  const auto* table = item.as_table();
  const auto* own = table ? table->get_as<std::string>("name") : nullptr;
  if (!own) {
    out.push_back({name + ".*", {}, {}, other_type{"a table"}, line});
    return;
  }
  auto rest = *table;
  rest.erase("name");
  add_section(out, rest, name + ".*", own->get(), line);
}

std::vector<file_entry> flatten(const toml::table& root) {
  std::vector<file_entry> out;
  for (const auto& [key, node] : root) {
    const std::string name{key.str()};
    const uint32_t line = key.source().begin.line;
    const auto* table = node.as_table();
    if (const auto* list = node.as_array();
        list && name == "processors" && !list->empty()) {
      for (const auto& item : *list)
        add_listed(out, item, name);
    } else if (!table) {
      out.push_back({{}, {}, name, to_raw(node), line});
    } else if (name != "platforms" && name != "processors") {
      add_section(out, *table, name, {}, line);
    } else {
      for (const auto& [platform, inner] : *table) {
        const uint32_t at = platform.source().begin.line;
        if (const auto* one = inner.as_table())
          add_section(out, *one, name + ".*", std::string{platform.str()}, at);
        else
          out.push_back(
              {name, {}, std::string{platform.str()}, to_raw(inner), at});
      }
    }
  }
  std::ranges::stable_sort(out, {}, &file_entry::line);
  return out;
}

} // namespace

std::optional<std::vector<std::string>> read_text_list(std::string_view text) {
  // A table of one key, so that nothing but a value can stand there.
  try {
    const auto table = toml::parse("list = " + std::string{text});
    const auto* list =
        table.size() == 1 ? table.get_as<toml::array>("list") : nullptr;
    if (!list)
      return std::nullopt;
    std::vector<std::string> out;
    for (const auto& item : *list) {
      const auto* one = item.as_string();
      if (!one)
        return std::nullopt;
      out.push_back(one->get());
    }
    return out;
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

expected<std::vector<file_entry>> read_toml(std::string_view text,
                                            std::string_view name) {
  try {
    return flatten(toml::parse(text, name));
  } catch (const toml::parse_error& fault) {
    std::ostringstream message;
    message << name << ':' << fault.source().begin.line << ": "
            << fault.description();
    return fail(ec::bad_configuration, message.str());
  }
}

} // namespace eventweft::config
