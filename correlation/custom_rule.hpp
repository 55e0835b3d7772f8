// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/rule.hpp"
#include "messages/correlation_rule.hpp"
#include "messages/errors.hpp"

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace eventweft::correlation {

/// `bad_configuration` naming the rule and the fault.
expected<rule_ptr> make_declarative_rule(const declarative_rule& definition);

using custom_keys = std::vector<correlation_key>;

/// A rule that is a function. Use `make_lambda_rule`.
rule_ptr make_function_rule(std::string name,
                            std::function<custom_keys(const event&)> f);

namespace detail {

inline void take_key(custom_keys& out, std::string text) {
  if (!text.empty())
    out.push_back({.key = std::move(text),
                   .type = {correlation_noun::event, correlation_noun::custom},
                   .confidence = 1});
}

inline void take(custom_keys& out, custom_keys&& keys) {
  out = std::move(keys);
}
inline void take(custom_keys& out, correlation_key&& key) {
  out.push_back(std::move(key));
}
inline void take(custom_keys& out, std::vector<std::string>&& keys) {
  for (auto& key : keys)
    take_key(out, std::move(key));
}
inline void take(custom_keys& out, std::string&& key) {
  take_key(out, std::move(key));
}
template <class T>
void take(custom_keys& out, std::optional<T>&& value) {
  if (value)
    take(out, std::move(*value));
}

} // namespace detail

/// `f` takes `const event&` and returns one key as a string (empty: none), an
/// `optional` of one, several strings, one `correlation_key` or several. It
/// runs on several threads at the same time.
template <class F>
rule_ptr make_lambda_rule(std::string name, F f) {
  return make_function_rule(
      std::move(name), [call = std::move(f)](const event& ev) {
        custom_keys out;
        using result = std::decay_t<decltype(call(ev))>;
        if constexpr (std::is_convertible_v<result, std::string> &&
                      !std::is_same_v<result, std::string>)
          detail::take(out, std::string{call(ev)});
        else
          detail::take(out, call(ev));
        return out;
      });
}

} // namespace eventweft::correlation
