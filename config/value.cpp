// SPDX-License-Identifier: Apache-2.0
#include "config/value.hpp"

#include "config/toml_reader.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <sstream>
#include <utility>

namespace eventweft::config {

namespace {

struct unit {
  std::string_view name;
  uint64_t factor;
};

constexpr auto units = std::to_array<unit>({
    {"B", 1},
    {"KiB", 1ull << 10},
    {"MiB", 1ull << 20},
    {"GiB", 1ull << 30},
    {"TiB", 1ull << 40},
});

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc{} || stop != end || text.empty())
    return std::nullopt;
  return value;
}

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

bool is_secret(kind type) {
  return type == kind::secret || type == kind::secrets ||
         type == kind::secret_file || type == kind::store_url ||
         type == kind::web_url;
}

std::string found(const key& k, const raw_value& raw) {
  struct visitor {
    bool hide;
    std::string operator()(const plain_text& t) const {
      return (*this)(t.value);
    }
    std::string operator()(const std::string& t) const {
      if (hide)
        return t.empty() ? "an empty text" : "a text that is not usable";
      constexpr size_t enough = 60;
      return t.size() <= enough ? in_quotes(t)
                                : in_quotes(t.substr(0, enough)) + "…";
    }
    std::string operator()(int64_t n) const {
      return hide ? "a number" : std::to_string(n);
    }
    std::string operator()(double d) const {
      if (hide)
        return "a number";
      std::array<char, 32> buffer{};
      const auto end =
          std::to_chars(buffer.data(), buffer.data() + buffer.size(), d).ptr;
      return {buffer.data(), end};
    }
    std::string operator()(bool b) const {
      return hide ? "a truth value" : b ? "true" : "false";
    }
    std::string operator()(const std::vector<std::string>&) const {
      return "a list";
    }
    std::string operator()(const std::vector<text_table>&) const {
      return "a list of tables";
    }
    std::string operator()(const other_type& t) const { return t.what; }
  };
  return std::visit(visitor{is_secret(k.type)}, raw);
}

/// The text in `raw`, if it is one.
const std::string* text_of(const raw_value& raw) {
  if (const auto* plain = std::get_if<plain_text>(&raw))
    return &plain->value;
  return std::get_if<std::string>(&raw);
}

std::optional<uint64_t> whole_of(const raw_value& raw) {
  if (const auto* plain = std::get_if<plain_text>(&raw))
    return number<uint64_t>(trimmed(plain->value));
  if (const auto* n = std::get_if<int64_t>(&raw); n && *n >= 0)
    return static_cast<uint64_t>(*n);
  return std::nullopt;
}

std::optional<uint64_t> thousandths_of(const raw_value& raw) {
  std::optional<double> value;
  if (const auto* plain = std::get_if<plain_text>(&raw))
    value = number<double>(trimmed(plain->value));
  else if (const auto* n = std::get_if<int64_t>(&raw))
    value = static_cast<double>(*n);
  else if (const auto* d = std::get_if<double>(&raw))
    value = *d;
  // Far above every range; keeps the conversion below defined.
  constexpr double largest = 1e12;
  if (!value || !std::isfinite(*value) || *value < 0 || *value > largest)
    return std::nullopt;
  const auto result = static_cast<uint64_t>(std::llround(*value * 1'000));
  // 0.0001 s is not "no time at all".
  return result == 0 && *value > 0 ? 1 : result;
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

uint64_t amount_in(field target) {
  return std::visit(
      [](auto* member) -> uint64_t {
        using type = std::remove_pointer_t<decltype(member)>;
        if constexpr (std::is_same_v<type, milliseconds>)
          return static_cast<uint64_t>(member->count());
        else if constexpr (std::is_integral_v<type>)
          return static_cast<uint64_t>(*member);
        else
          return 0;
      },
      target);
}

bool is_choice(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    const auto bar = choices.find('|');
    if (choices.substr(0, bar) == text)
      return true;
    if (bar == std::string_view::npos)
      break;
    choices.remove_prefix(bar + 1);
  }
  return false;
}

constexpr std::string_view priorities = "low|normal|high|critical";

std::string choices_text(std::string_view choices) {
  std::string result = "one of \"";
  for (char c : choices) {
    if (c == '|')
      result += "\", \"";
    else
      result += c;
  }
  return result + "\"";
}

bool assign_secrets(std::vector<std::string>& list, const raw_value& raw) {
  if (const auto* plain = std::get_if<plain_text>(&raw)) {
    std::string_view rest = plain->value;
    while (!rest.empty()) {
      const auto comma = std::min(rest.find(','), rest.size());
      if (const auto one = trimmed(rest.substr(0, comma)); !one.empty())
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

bool fits_list(const key& k, const std::string& text) {
  switch (k.type) {
  case kind::origins:
    return is_origin(text);
  case kind::pointers:
    return text.starts_with('/');
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

bool assign_rules(std::vector<priority_rule>& rules, const raw_value& raw) {
  const auto* tables = std::get_if<std::vector<text_table>>(&raw);
  if (!tables)
    // An empty list has no type of its own.
    if (const auto* texts = std::get_if<std::vector<std::string>>(&raw))
      return texts->empty();
  if (!tables)
    return false;
  for (const auto& table : *tables) {
    priority_rule rule;
    bool decides = false;
    for (const auto& [name, value, what] : table.members) {
      if (name == "event_type")
        rule.event_type = value;
      else if (name == "field" && (value.empty() || value.front() == '/'))
        rule.field = value;
      else if (name == "value")
        rule.value = value;
      else if (name == "priority" && is_choice(priorities, value))
        rule.priority = value;
      else
        return false;
      decides = decides || name == "priority";
    }
    // What a rule says nothing about must not become normal by mistake.
    if (!decides)
      return false;
    rules.push_back(std::move(rule));
  }
  return true;
}

/// What is wrong with the first table that is no rule.
std::string fault_in_rules(const std::vector<text_table>& tables) {
  for (const auto& table : tables) {
    const auto place = " (line " + std::to_string(table.line) + ")";
    bool decides = false;
    for (const auto& [name, value, what] : table.members) {
      decides = decides || name == "priority";
      if (name == "priority" && !is_choice(priorities, value))
        return "a rule's priority: expected " + choices_text(priorities) +
               ", found " + in_quotes(value) + place;
      if (name == "field" && !value.empty() && value.front() != '/')
        return "field: expected a JSON pointer that starts with /, found " +
               in_quotes(value) + place;
      if (name != "priority" && name != "field" && name != "value" &&
          name != "event_type")
        return name +
               ": unknown key; a rule has event_type, field, value and "
               "priority" +
               place;
    }
    if (!decides)
      return "a rule needs a priority, " + choices_text(priorities) + place;
  }
  return {};
}

std::optional<double> fraction_of(const raw_value& raw) {
  std::optional<double> value;
  if (const auto* plain = std::get_if<plain_text>(&raw))
    value = number<double>(trimmed(plain->value));
  else if (const auto* real = std::get_if<double>(&raw))
    value = *real;
  else if (const auto* whole = std::get_if<int64_t>(&raw))
    value = static_cast<double>(*whole);
  return value && *value >= 0 && *value <= 1 ? value : std::nullopt;
}

/// What is wrong with the table as a rule; nothing if it is one.
std::optional<std::string> read_rule(const text_table& table,
                                     correlation_rule& rule) {
  const auto place = " (line " + std::to_string(table.line) + ")";
  for (const auto& [name, value, what] : table.members) {
    const bool textual =
        name == "name" || name == "key" || name == "field" || name == "pattern";
    if (textual && !what.empty())
      return name + ": expected a text, found " + what + place;
    if (name == "match" && !what.empty() && what != "a table")
      return "match: expected a filter, as a table or as JSON, found " + what +
             place;
    if (name == "name")
      rule.name = value;
    else if (name == "match")
      rule.match = value;
    else if (name == "key")
      rule.key = value;
    else if (name == "field")
      rule.field = value;
    else if (name == "pattern")
      rule.pattern = value;
    else if (name == "confidence") {
      const auto sure = number<double>(value);
      if (!sure || *sure < 0 || *sure > 1)
        return "confidence: expected a number from 0 to 1, found " +
               in_quotes(value) + place;
      rule.confidence = *sure;
    } else if (name == "window") {
      const auto seconds = number<double>(value);
      if (!seconds || *seconds < 0 || *seconds > 4e9)
        return "window: expected a number of seconds, found " +
               in_quotes(value) + place;
      // 0 is for ever, a fraction is not.
      rule.window = static_cast<uint32_t>(std::ceil(*seconds));
    } else
      return name +
             ": unknown key; a rule has name, match, key, field, pattern, "
             "confidence and window" +
             place;
  }
  if (rule.name.empty() || rule.key.empty())
    return "a rule needs a name and a key" + place;
  return std::nullopt;
}

bool assign_correlation_rules(std::vector<correlation_rule>& rules,
                              const raw_value& raw) {
  const auto* tables = std::get_if<std::vector<text_table>>(&raw);
  if (!tables) {
    // An empty list has no type of its own.
    const auto* texts = std::get_if<std::vector<std::string>>(&raw);
    return texts && texts->empty();
  }
  for (const auto& table : *tables) {
    correlation_rule rule;
    if (read_rule(table, rule))
      return false;
    rules.push_back(std::move(rule));
  }
  return true;
}

bool assign_value(const key& k, field target, const raw_value& raw) {
  switch (k.type) {
  case kind::fraction: {
    const auto value = fraction_of(raw);
    if (value)
      *std::get<double*>(target) = *value;
    return value.has_value();
  }
  case kind::correlation_rules:
    return assign_correlation_rules(
        *std::get<std::vector<correlation_rule>*>(target), raw);
  case kind::boolean: {
    std::optional<bool> value;
    if (const auto* plain = std::get_if<plain_text>(&raw))
      value = boolean(trimmed(plain->value));
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
  case kind::pointers:
  case kind::choices:
  case kind::origins:
    return assign_texts(*std::get<std::vector<std::string>*>(target), k, raw);
  case kind::rules:
    return assign_rules(*std::get<std::vector<priority_rule>*>(target), raw);
  case kind::secret_file:
    break;
  }
  return false;
}

} // namespace

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view white = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(white);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(white) - first + 1);
}

std::string in_quotes(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string result = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      result += "\\u00";
      result += digits[byte >> 4];
      result += digits[byte & 15];
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::optional<uint64_t> parse_bytes(std::string_view text) {
  text = trimmed(text);
  const auto digits =
      std::min(text.find_first_not_of("0123456789"), text.size());
  const auto amount = number<uint64_t>(text.substr(0, digits));
  const auto suffix = trimmed(text.substr(digits));
  if (!amount || suffix.empty())
    return amount;
  for (const auto& u : units)
    if (suffix == u.name)
      return *amount > UINT64_MAX / u.factor
                 ? std::nullopt
                 : std::optional{*amount * u.factor};
  return std::nullopt;
}

std::string bytes_text(uint64_t bytes) {
  const unit* best = &units.front();
  for (const auto& u : units)
    if (bytes >= u.factor && bytes % u.factor == 0)
      best = &u;
  if (best->factor == 1)
    return std::to_string(bytes);
  return std::to_string(bytes / best->factor) + ' ' + std::string{best->name};
}

std::string seconds_text(milliseconds d) {
  std::string result = std::to_string(d.count() / 1'000);
  if (const auto rest = d.count() % 1'000; rest != 0) {
    auto fraction = std::to_string(1'000 + rest).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    result += '.' + fraction;
  }
  return result;
}

std::string expectation(const key& k) {
  switch (k.type) {
  case kind::boolean:
    return "true or false";
  case kind::whole:
    return "a whole number from " + std::to_string(k.min) + " to " +
           std::to_string(k.max);
  case kind::seconds:
    return "a number of seconds from " +
           seconds_text(milliseconds{static_cast<int64_t>(k.min)}) + " to " +
           seconds_text(milliseconds{static_cast<int64_t>(k.max)});
  case kind::millis:
    return "a whole number of milliseconds from " + std::to_string(k.min) +
           " to " + std::to_string(k.max);
  case kind::bytes:
    return "a size from " + bytes_text(k.min) + " to " + bytes_text(k.max) +
           " (in bytes, or as text with KiB, MiB, GiB)";
  case kind::choice:
    return choices_text(k.choices);
  case kind::text:
  case kind::store_url:
  case kind::web_url:
  case kind::secret:
    return "a text";
  case kind::secrets:
    return "a text or a list of texts, none of them empty";
  case kind::secret_file:
    return "a path or a list of paths";
  case kind::texts:
    return "a list of texts, none of them empty";
  case kind::pointers:
    return "a list of JSON pointers, each of which starts with /";
  case kind::choices:
    return "a list with any of " + choices_text(k.choices).substr(7);
  case kind::origins:
    return "a list of origins, each as \"https://app.example.org\" with "
           "nothing behind it, or \"*\"";
  case kind::rules:
    return "tables with event_type, field, value and priority, in a file";
  case kind::fraction:
    return "a number from 0 to 1";
  case kind::correlation_rules:
    return "tables with name, match, key, field, pattern, confidence and "
           "window, in a file";
  }
  return {};
}

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
  if (assign_value(k, target, raw))
    return std::nullopt;
  if (k.type == kind::texts || k.type == kind::pointers ||
      k.type == kind::choices || k.type == kind::origins)
    if (const auto texts = texts_of(raw))
      for (const auto& text : *texts)
        if (!fits_list(k, text))
          return "expected " + expectation(k) + ", found " +
                 found(k, raw_value{text});
  if (const auto* tables = std::get_if<std::vector<text_table>>(&raw);
      tables && k.type == kind::rules)
    return fault_in_rules(*tables);
  else if (tables && k.type == kind::correlation_rules)
    for (const auto& table : *tables) {
      correlation_rule rule;
      if (auto fault = read_rule(table, rule))
        return fault;
    }
  return "expected " + expectation(k) + ", found " + found(k, raw);
}

std::string mask_url(std::string_view url) {
  std::string result;
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
    // To the last `@` of all: a password may hold any character unescaped.
    const auto at = url.rfind('@');
    const auto colon = url.find(':', scheme + 3);
    if (at != std::string_view::npos && colon < at) {
      result.append(url.substr(0, colon + 1)).append("***");
      url.remove_prefix(at);
    }
  }
  // `password=` of a query or of a libpq connection string, quoted or not.
  constexpr std::string_view word = "password";
  while (true) {
    const auto at = url.find(word);
    const auto equals = at == std::string_view::npos
                            ? at
                            : url.find_first_not_of(' ', at + word.size());
    if (equals == std::string_view::npos || url[equals] != '=')
      return result.append(url);
    result.append(url.substr(0, equals + 1)).append("***");
    auto end = std::min(url.find_first_not_of(' ', equals + 1), url.size());
    if (end < url.size() && url[end] == '\'') {
      for (++end; end < url.size() && url[end] != '\'';)
        end += url[end] == '\\' ? 2 : 1;
      ++end;
    } else {
      end = url.find_first_of(" &", end);
    }
    url.remove_prefix(std::min(end, url.size()));
  }
}

std::string mask_web_url(std::string_view url) {
  const auto scheme = url.find("://");
  const auto start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const auto end = std::min(url.find_first_of("/?#", start), url.size());
  const auto at = url.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < start)
    return std::string{url};
  const auto colon = std::min(url.find(':', start), at);
  // A name alone is a token as often as not.
  const auto shown = colon < at ? colon + 1 : start;
  return std::string{url.substr(0, shown)}.append("***").append(url.substr(at));
}

bool is_list_text(std::string_view text) noexcept {
  text = trimmed(text);
  return text.starts_with('[') && text.ends_with(']');
}

bool takes_list(kind type) noexcept {
  return type == kind::secrets || type == kind::secret_file ||
         type == kind::texts || type == kind::pointers ||
         type == kind::choices || type == kind::origins;
}

namespace {

/// What a rule says beyond the defaults, as a file would.
std::string rule_text(const correlation_rule& r) {
  std::ostringstream out;
  out << "{name = " << in_quotes(r.name) << ", key = " << in_quotes(r.key);
  for (const auto& [name, text] : {std::pair{"match", &r.match},
                                   {"field", &r.field},
                                   {"pattern", &r.pattern}})
    if (!text->empty())
      out << ", " << name << " = " << in_quotes(*text);
  const correlation_rule otherwise;
  if (r.confidence != otherwise.confidence)
    out << ", confidence = " << r.confidence;
  if (r.window != otherwise.window)
    out << ", window = " << r.window;
  out << '}';
  return out.str();
}

} // namespace

std::string shown(const key& k, field target) {
  switch (k.type) {
  case kind::boolean:
    return *std::get<bool*>(target) ? "true" : "false";
  case kind::whole:
  case kind::millis:
    return std::to_string(amount_in(target));
  case kind::seconds:
    return seconds_text(milliseconds{static_cast<int64_t>(amount_in(target))});
  case kind::bytes: {
    const auto amount = amount_in(target);
    const auto text = bytes_text(amount);
    return text == std::to_string(amount) ? text : in_quotes(text);
  }
  case kind::text:
  case kind::choice:
    return in_quotes(*std::get<std::string*>(target));
  case kind::store_url:
    return in_quotes(mask_url(*std::get<std::string*>(target)));
  case kind::web_url:
    return in_quotes(mask_web_url(*std::get<std::string*>(target)));
  case kind::secret:
    return std::get<std::string*>(target)->empty() ? "\"\"" : "\"***\"";
  case kind::secrets:
  case kind::secret_file: {
    std::string result = "[";
    if (auto** list = std::get_if<std::vector<std::string>*>(&target))
      for (size_t i = 0; i < (*list)->size(); ++i)
        result += i == 0 ? "\"***\"" : ", \"***\"";
    return result + "]";
  }
  case kind::texts:
  case kind::pointers:
  case kind::choices:
  case kind::origins: {
    std::string result = "[";
    for (const auto& text : *std::get<std::vector<std::string>*>(target))
      result += (result.size() == 1 ? "" : ", ") + in_quotes(text);
    return result + "]";
  }
  case kind::fraction: {
    std::ostringstream out;
    out << *std::get<double*>(target);
    return out.str();
  }
  case kind::correlation_rules: {
    std::string result = "[";
    for (const auto& r : *std::get<std::vector<correlation_rule>*>(target))
      result += (result.size() == 1 ? "" : ", ") + rule_text(r);
    return result + "]";
  }
  case kind::rules: {
    std::string result = "[";
    for (const auto& r : *std::get<std::vector<priority_rule>*>(target))
      result += (result.size() == 1 ? "{" : ", {") +
                ("event_type = " + in_quotes(r.event_type)) +
                ", field = " + in_quotes(r.field) +
                ", value = " + in_quotes(r.value) +
                ", priority = " + in_quotes(r.priority) + "}";
    return result + "]";
  }
  }
  return {};
}

} // namespace eventweft::config
