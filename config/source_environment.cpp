// SPDX-License-Identifier: Apache-2.0
#include "config/classic_variables.hpp"
#include "config/names.hpp"
#include "config/sources.hpp"
#include "config/spelling.hpp"
#include "messages/ascii.hpp"

#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

namespace eventweft::config {

namespace {

/// The beginnings of variables for what has a name.
constexpr std::pair<std::string_view, std::string_view> named_variables[] = {
    {platform_section, "EVENTWEFT_PLATFORMS_"},
    {processor_section, "EVENTWEFT_PROCESSORS_"},
};

/// What container platforms set for every service they know: with a service
/// named "eventweft-database" that is `EVENTWEFT_DATABASE_PORT=tcp://…`.
bool is_service_link(std::string_view name, std::string_view value) {
  return value.starts_with("tcp://") || value.starts_with("udp://") ||
         name.find("_SERVICE_HOST") != std::string_view::npos ||
         name.find("_SERVICE_PORT") != std::string_view::npos ||
         name.find("_TCP_") != std::string_view::npos ||
         name.find("_UDP_") != std::string_view::npos;
}

/// What stands for a flag of `serve`, and what was meant by it.
constexpr std::pair<std::string_view, std::string_view> flag_variables[] = {
    {"EVENTWEFT_LISTEN", "EVENTWEFT_SERVER_LISTEN"},
    {"EVENTWEFT_STORE", "EVENTWEFT_STORE_URL"},
};

/// Without what variables can't say of a name: its case, and which of `-`, `.`
/// and `_` it has.
std::string folded(std::string_view name) {
  auto out = lower_case(name);
  for (auto& c : out)
    if (c == '-' || c == '.')
      c = '_';
  return out;
}

/// The one of `known` that a variable means by `name`; a new one is `name`.
template <class Map>
std::string known_or_new(const Map& known, std::string name) {
  for (const auto& [one, unused] : known)
    if (folded(one) == name)
      return one;
  return name;
}

/// Of the keys that every platform has, for the platforms that come with us.
std::vector<std::string> platform_variables() {
  std::vector<std::string> names;
  for (std::string_view known :
       {"github", "slack", "linear", "deployments", "events"})
    for (const auto& k : keys())
      if (k.section == platform_section)
        names.push_back(environment_name(k, known));
  return names;
}

/// A variable of a platform or a processor. One of the file is found by its
/// folded name: `my-tool` is MY_TOOL here, `Notify.ops` NOTIFY_OPS. A new one
/// is in lower case.
void add_named_variable(collector& to, std::string_view section,
                        std::string_view prefix, const std::string& name,
                        const std::string& value, const source& from) {
  const auto rest = std::string_view{name}.substr(prefix.size());
  const key* best = nullptr;
  std::string_view written;
  for (const auto& k : keys()) {
    if (k.section != section)
      continue;
    const auto suffix = environment_name(k, "x").substr(prefix.size() + 1);
    // The longest that fits: `_REDACT_TOKENS` and not `_TOKENS`.
    if (rest.size() <= suffix.size() || !rest.ends_with(suffix) ||
        (best && best->name.size() >= k.name.size()))
      continue;
    best = &k;
    written = rest.substr(0, rest.size() - suffix.size());
  }
  const bool platform = section == platform_section;
  // A platform's `-` may also stand in the variable as it is.
  auto owner = platform ? lower_case(written) : folded(written);
  if (!best || !fits(section, owner)) {
    const auto hint =
        platform ? nearest(name, platform_variables(), slip(rest)) : "";
    to.fault(with_hint(name + ": unknown variable", hint));
    return;
  }
  const auto& values = to.result().values;
  owner = platform ? known_or_new(values.platforms, std::move(owner))
                   : known_or_new(values.processors, std::move(owner));
  if (!value.empty())
    to.set(*best, owner, plain_text{value}, from, name);
}

void add_variable(collector& to, const std::string& name,
                  const std::string& value, const source& from) {
  for (std::string_view client :
       {"EVENTWEFT_URL", "EVENTWEFT_TOKEN", "EVENTWEFT_CA", "EVENTWEFT_CERT",
        "EVENTWEFT_CERT_KEY", "EVENTWEFT_CONFIG"})
    if (name == client)
      return;
  for (const auto& [flag, meant] : flag_variables)
    if (name == flag) {
      to.fault(with_hint(name + ": unknown variable", std::string{meant}));
      return;
    }
  for (const auto& [section, prefix] : named_variables)
    if (name.starts_with(prefix)) {
      add_named_variable(to, section, prefix, name, value, from);
      return;
    }
  std::vector<std::string> names;
  bool known_section = false;
  for (const auto& k : keys()) {
    if (is_named(k.section))
      continue;
    const auto own = environment_name(k);
    if (own == name) {
      if (!value.empty() || k.type == kind::text || k.type == kind::web_url)
        to.set(k, {}, plain_text{value}, from, name);
      return;
    }
    const auto section =
        std::string_view{own}.substr(0, own.size() - k.name.size());
    known_section = known_section || name.starts_with(section);
    names.push_back(own);
  }
  // Others may use the prefix for things of their own; only what looks meant
  // for us is refused.
  const auto hint = nearest(name, names, known_section ? slip(name) : 2);
  if (known_section || !hint.empty())
    to.fault(with_hint(name + ": unknown variable", hint));
}

} // namespace

void add_environment(collector& to, const environment& env,
                     const std::filesystem::path& base) {
  for (const auto& classic : classic_variables) {
    const auto found = env.find(std::string{classic.name});
    if (found == env.end() || trim(found->second).empty() ||
        is_service_link({}, found->second))
      continue;
    to.set(*find_key(classic.section, classic.key),
           std::string{classic.platform}, plain_text{found->second},
           {rank::env, found->first, base}, found->first);
  }
  for (const auto& [name, value] : env)
    if (name.starts_with("EVENTWEFT_") && !is_service_link(name, value))
      add_variable(to, name, value, {rank::env, name, base});
}

environment process_environment() {
  environment env;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text{*entry};
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      env.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return env;
}

} // namespace eventweft::config
