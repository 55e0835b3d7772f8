// SPDX-License-Identifier: Apache-2.0
#include "config/value.hpp"

#include "config/rule_tables.hpp"
#include "config/text.hpp"
#include "config/toml_reader.hpp"
#include "config/units.hpp"
#include "config/wording.hpp"
#include "messages/ascii.hpp"
#include "messages/json_pointer.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <type_traits>

namespace eventweft::config {

namespace {

std::optional<bool> boolean(std::string_view text) {
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  for (std::string_view yes : {"true", "1", "yes", "on"})
    if (lower == yes)
      return true;
  for (std::string_view no : {"false", "0", "no", "off"})
    if (lower == no)
      return false;
  return std::nullopt;
}

/// The text in `raw`, if it is one.
const std::string* text_of(const raw_value& raw) {
  if (const auto* plain = std::get_if<plain_text>(&raw))
    return &plain->value;
  return std::get_if<std::string>(&raw);
}

std::optional<uint64_t> whole_of(const raw_value& raw) {
  if (const auto* plain = std::get_if<plain_text>(&raw))
    return number<uint64_t>(trim(plain->value));
  if (const auto* n = std::get_if<int64_t>(&raw); n && *n >= 0)
    return static_cast<uint64_t>(*n);
  return std::nullopt;
}

/// Any number, or plain text that is one.
std::optional<double> real_of(const raw_value& raw) {
  if (const auto* plain = std::get_if<plain_text>(&raw))
    return number<double>(trim(plain->value));
  if (const auto* n = std::get_if<int64_t>(&raw))
    return static_cast<double>(*n);
  if (const auto* d = std::get_if<double>(&raw))
    return *d;
  return std::nullopt;
}

std::optional<uint64_t> thousandths_of(const raw_value& raw) {
  const auto value = real_of(raw);
  // Far above every range; keeps the conversion below defined.
  constexpr double largest = 1e12;
  if (!value || !std::isfinite(*value) || *value < 0 || *value > largest)
    return std::nullopt;
  const auto result = static_cast<uint64_t>(std::llround(*value * 1'000));
  // 0.0001 s is not "no time at all".
  return result == 0 && *value > 0 ? 1 : result;
}

std::optional<double> fraction_of(const raw_value& raw) {
  const auto value = real_of(raw);
  return value && *value >= 0 && *value <= 1 ? value : std::nullopt;
}

std::optional<uint64_t> size_of(const raw_value& raw) {
  if (const auto* text = text_of(raw))
    return parse_bytes(*text);
  return whole_of(raw);
}

std::optional<uint64_t> amount_of(kind type, const raw_value& raw) {
  switch (type) {
  case kind::seconds:
    return thousandths_of(raw);
  case kind::bytes:
    return size_of(raw);
  default:
    return whole_of(raw);
  }
}

void store_amount(field target, uint64_t amount) {
  std::visit(
      [amount](auto* member) {
        using type = std::remove_pointer_t<decltype(member)>;
        if constexpr (std::is_same_v<type, milliseconds>)
          *member = milliseconds{static_cast<int64_t>(amount)};
        else if constexpr (std::is_integral_v<type>)
          *member = static_cast<type>(amount);
      },
      target);
}

bool assign_secrets(std::vector<std::string>& list, const raw_value& raw) {
  if (const auto* plain = std::get_if<plain_text>(&raw)) {
    std::string_view rest = plain->value;
    while (!rest.empty()) {
      const auto comma = std::min(rest.find(','), rest.size());
      if (const auto one = trim(rest.substr(0, comma)); !one.empty())
        list.emplace_back(one);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return true;
  }
  if (const auto* text = std::get_if<std::string>(&raw)) {
    // An empty secret would accept what anybody can sign.
    if (text->empty())
      return false;
    list.push_back(*text);
    return true;
  }
  if (const auto* texts = std::get_if<std::vector<std::string>>(&raw)) {
    if (std::ranges::any_of(*texts, &std::string::empty))
      return false;
    list.insert(list.end(), texts->begin(), texts->end());
    return true;
  }
  return false;
}

/// The texts of a list; a comma parts them in plain text.
std::optional<std::vector<std::string>> texts_of(const raw_value& raw) {
  std::vector<std::string> texts;
  if (const auto* plain = std::get_if<plain_text>(&raw))
    assign_secrets(texts, *plain);
  else if (const auto* one = std::get_if<std::string>(&raw))
    texts.push_back(*one);
  else if (const auto* all = std::get_if<std::vector<std::string>>(&raw))
    texts = *all;
  else
    return std::nullopt;
  return texts;
}

/// As browsers write it: a page's origin is compared with it letter by letter.
bool is_origin(std::string_view text) {
  if (text == "*" || text == "null")
    return true;
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0)
    return false;
  const auto host = text.substr(scheme + 3);
  return !host.empty() &&
         host.find_first_of("/?#@*\\ \t\"") == std::string_view::npos;
}

/// Whether its value is a list whose texts `fits_list` looks at.
bool is_text_list(kind type) noexcept {
  return type == kind::texts || type == kind::variables ||
         type == kind::pointers || type == kind::choices ||
         type == kind::origins;
}

bool fits_list(const key& k, const std::string& text) {
  switch (k.type) {
  case kind::origins:
    return is_origin(text);
  case kind::pointers:
    return is_json_pointer(text);
  case kind::choices:
    return is_choice(k.choices, text);
  default:
    return !text.empty();
  }
}

bool assign_texts(std::vector<std::string>& list, const key& k,
                  const raw_value& raw) {
  const auto texts = texts_of(raw);
  if (!texts || !std::ranges::all_of(*texts, [&](const auto& text) {
        return fits_list(k, text);
      }))
    return false;
  list.insert(list.end(), texts->begin(), texts->end());
  return true;
}

/// Appends a rule for each table up to the first that is none; what is wrong
/// with that one.
template <class Rule>
std::optional<std::string> append_rules(std::vector<Rule>& rules,
                                        const std::vector<text_table>& tables) {
  for (const auto& table : tables) {
    Rule rule;
    if (auto fault = read_rule(table, rule))
      return fault;
    rules.push_back(std::move(rule));
  }
  return std::nullopt;
}

bool assign_value(const key& k, field target, const raw_value& raw) {
  switch (k.type) {
  case kind::fraction: {
    const auto value = fraction_of(raw);
    if (value)
      *std::get<double*>(target) = *value;
    return value.has_value();
  }
  case kind::boolean: {
    std::optional<bool> value;
    if (const auto* plain = std::get_if<plain_text>(&raw))
      value = boolean(trim(plain->value));
    else if (const auto* b = std::get_if<bool>(&raw))
      value = *b;
    if (value)
      *std::get<bool*>(target) = *value;
    return value.has_value();
  }
  case kind::whole:
  case kind::seconds:
  case kind::millis:
  case kind::bytes: {
    const auto amount = amount_of(k.type, raw);
    if (!amount || *amount < k.min || *amount > k.max)
      return false;
    store_amount(target, *amount);
    return true;
  }
  case kind::text:
  case kind::store_url:
  case kind::web_url:
  case kind::secret: {
    const auto* text = text_of(raw);
    // A NUL would end the text for every C library that gets it.
    if (!text || text->find('\0') != std::string::npos)
      return false;
    *std::get<std::string*>(target) = *text;
    return true;
  }
  case kind::choice: {
    const auto* text = text_of(raw);
    if (!text || !is_choice(k.choices, *text))
      return false;
    *std::get<std::string*>(target) = *text;
    return true;
  }
  case kind::secrets:
    return assign_secrets(*std::get<std::vector<std::string>*>(target), raw);
  case kind::texts:
  case kind::variables:
  case kind::pointers:
  case kind::choices:
  case kind::origins:
    return assign_texts(*std::get<std::vector<std::string>*>(target), k, raw);
  case kind::rules:
  case kind::correlation_rules: {
    // An empty list has no type of its own.
    const auto* texts = std::get_if<std::vector<std::string>>(&raw);
    return texts && texts->empty();
  }
  case kind::secret_file:
    break;
  }
  return false;
}

} // namespace

std::optional<std::string> assign(const key& k, field target,
                                  const raw_value& raw) {
  if (const auto* plain = std::get_if<plain_text>(&raw);
      plain && takes_list(k.type) && is_list_text(plain->value)) {
    auto list = read_text_list(plain->value);
    if (!list)
      return "expected texts as TOML lists them, such as [\"a\", \"b\"], "
             "found " +
             found(k, raw);
    return assign(k, target, raw_value{std::move(*list)});
  }
  if (const auto* tables = std::get_if<std::vector<text_table>>(&raw)) {
    if (auto** rules = std::get_if<std::vector<priority_rule>*>(&target))
      return append_rules(**rules, *tables);
    if (auto** rules = std::get_if<std::vector<correlation_rule>*>(&target))
      return append_rules(**rules, *tables);
  }
  if (assign_value(k, target, raw))
    return std::nullopt;
  if (is_text_list(k.type))
    if (const auto texts = texts_of(raw))
      for (const auto& text : *texts)
        if (!fits_list(k, text))
          return "expected " + expectation(k) + ", found " +
                 found(k, raw_value{text});
  return "expected " + expectation(k) + ", found " + found(k, raw);
}

bool takes_list(kind type) noexcept {
  return type == kind::secrets || type == kind::secret_file ||
         is_text_list(type);
}

} // namespace eventweft::config
