// SPDX-License-Identifier: Apache-2.0
#include "config/shown.hpp"

#include "config/mask.hpp"
#include "config/text.hpp"
#include "config/units.hpp"

#include <sstream>
#include <type_traits>
#include <utility>
#include <variant>

namespace eventweft::config {

namespace {

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

/// What a rule says beyond the defaults, as a file would.
std::string rule_text(const correlation_rule& r) {
  std::ostringstream out;
  out << "{name = " << in_quotes(r.name) << ", key = " << in_quotes(r.key);
  for (const auto& [name, text] :
       {std::pair{"match", &r.match}, std::pair{"field", &r.field},
        std::pair{"pattern", &r.pattern}})
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
  case kind::variables: {
    std::string result = "[";
    for (const auto& entry : *std::get<std::vector<std::string>*>(target))
      result +=
          (result.size() == 1 ? "" : ", ") + in_quotes(mask_variable(entry));
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
