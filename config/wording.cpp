// SPDX-License-Identifier: Apache-2.0
#include "config/wording.hpp"

#include "config/text.hpp"
#include "config/units.hpp"
#include "messages/json_pointer.hpp"

#include <array>
#include <charconv>
#include <variant>

namespace eventweft::config {

namespace {

bool is_secret(kind type) {
  return type == kind::secret || type == kind::secrets ||
         type == kind::secret_file || type == kind::store_url ||
         type == kind::web_url || type == kind::variables;
}

} // namespace

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
  case kind::variables:
    return "a list of texts, none of them empty";
  case kind::pointers:
    return "a list of JSON pointers, each of which " +
           std::string{json_pointer_form};
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
      std::string text{buffer.data(), end};
      // Of a whole one it is the point that is wrong.
      if (text.find_first_not_of("-0123456789") == std::string::npos)
        text += ".0";
      return text;
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

} // namespace eventweft::config
