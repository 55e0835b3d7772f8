// SPDX-License-Identifier: Apache-2.0
#include "config/loader.hpp"

#include "config/file_watch.hpp"
#include "config/shown.hpp"
#include "config/text.hpp"
#include "config/toml_reader.hpp"
#include "config/value.hpp"
#include "config/wording.hpp"
#include "messages/ascii.hpp"
#include "messages/url_escape.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <system_error>

namespace eventweft::config {

namespace {

namespace fs = std::filesystem;

/// Sources by strength.
enum class rank : uint8_t { none, file, env, flag };

struct source {
  rank strength = rank::none;
  /// "eventweft.toml:3", "DB_HOST", "--listen".
  std::string label;
  /// What relative paths in the value are relative to.
  fs::path base;
};

struct direct_variable {
  std::string_view name;
  std::string_view section;
  std::string_view platform;
  std::string_view key;
};

constexpr auto direct_variables = std::to_array<direct_variable>({
    {"DB_HOST", "database", {}, "host"},
    {"DB_PORT", "database", {}, "port"},
    {"DB_NAME", "database", {}, "database"},
    {"DB_USER", "database", {}, "user"},
    {"DB_PASSWORD", "database", {}, "password"},
    {"GITHUB_WEBHOOK_SECRET", platform_section, "github", "secrets"},
    {"SLACK_SIGNING_SECRET", platform_section, "slack", "secrets"},
    {"LINEAR_WEBHOOK_SECRET", platform_section, "linear", "secrets"},
    {"DEPLOYMENT_WEBHOOK_SECRET", platform_section, "deployments", "secrets"},
});

constexpr std::string_view prefix = "EVENTWEFT_";
constexpr std::string_view platform_prefix = "EVENTWEFT_PLATFORMS_";
constexpr std::string_view processor_prefix = "EVENTWEFT_PROCESSORS_";

std::string path_of(std::string_view section, std::string_view platform,
                    std::string_view name) {
  return section_path(section, platform).append(".").append(name);
}

std::string heading(std::string_view section, std::string_view platform) {
  return "[" + section_path(section, platform) + "]";
}

std::string with_hint(std::string message, const std::string& hint) {
  if (!hint.empty())
    message += "; did you mean " + hint + "?";
  return message;
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

size_t slip(std::string_view word) {
  return std::max<size_t>(2, word.size() / 3);
}

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

/// Whether the name fits a section that has one; any other section fits.
bool fits(std::string_view section, std::string_view name) {
  return section == platform_section    ? is_platform_name(name)
         : section == processor_section ? is_processor_name(name)
                                        : true;
}

/// What container platforms set for every service they know: with a service
/// named "eventweft-database" that is `EVENTWEFT_DATABASE_PORT=tcp://…`.
bool is_service_link(std::string_view name, std::string_view value) {
  return value.starts_with("tcp://") || value.starts_with("udp://") ||
         name.find("_SERVICE_HOST") != std::string_view::npos ||
         name.find("_SERVICE_PORT") != std::string_view::npos ||
         name.find("_TCP_") != std::string_view::npos ||
         name.find("_UDP_") != std::string_view::npos;
}

expected<std::string> read_file(const fs::path& path, const std::string& what) {
  std::error_code fault;
  if (!fs::exists(path, fault))
    return fail(ec::bad_configuration,
                what + ' ' + path.string() + ": no such file");
  if (!fs::is_regular_file(path, fault) && !fs::is_fifo(path, fault) &&
      !fs::is_character_file(path, fault))
    return fail(ec::bad_configuration,
                what + ' ' + path.string() + ": not a file");
  std::ifstream in{path, std::ios::binary};
  std::string text(largest_file + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad())
    return fail(ec::bad_configuration,
                what + ' ' + path.string() + ": cannot be read");
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > largest_file)
    return fail(ec::bad_configuration,
                what + ' ' + path.string() + ": larger than 1 MiB");
  return text;
}

/// Collects values by strength and faults by sentence.
class builder {
 public:
  void file(std::string_view text, std::string_view name, const fs::path& base);
  void variables(const environment& env, const fs::path& base);
  void flag_value(const flag& f, const fs::path& base);
  void complete();

  expected<effective> take(std::optional<fs::path> path) && {
    if (faults_.empty()) {
      result_.file = std::move(path);
      return std::move(result_);
    }
    std::string all;
    for (const auto& one : faults_)
      all += all.empty() ? one : '\n' + one;
    return fail(ec::bad_configuration, std::move(all));
  }

 private:
  void entry(const file_entry& e, const source& from);
  void variable(const std::string& name, const std::string& value,
                const source& from);
  void processor_variable(const std::string& name, const std::string& value,
                          const source& from);
  void platform_variable(const std::string& name, const std::string& value,
                         const source& from);
  void set(const key& k, const std::string& platform, const raw_value& raw,
           const source& from, const std::string& where);
  std::optional<std::string> set_from_files(const key& k, field target,
                                            const raw_value& raw,
                                            const fs::path& base);
  bool selects_postgres() const;
  void choose_store();
  void check_listen();
  void check_order(std::string_view section, std::string_view low,
                   std::string_view high, bool holds);
  /// "eventweft.toml:3: [server] listen: "
  std::string place(std::string_view section, std::string_view name) const;
  rank strength(const std::string& path) const {
    const auto found = ranks_.find(path);
    return found == ranks_.end() ? rank::none : found->second;
  }

  effective result_;
  std::map<std::string, rank> ranks_;
  std::vector<std::string> faults_;
};

// -- one value ---------------------------------------------------------------

void builder::set(const key& k, const std::string& platform,
                  const raw_value& raw, const source& from,
                  const std::string& where) {
  const auto canonical = k.alias_of.empty() ? k.name : k.alias_of;
  const auto path = path_of(k.section, platform, canonical);
  const auto target = k.at(result_.values, platform);
  const bool stronger = strength(path) < from.strength;
  if (stronger) {
    if (auto* const* list = std::get_if<std::vector<std::string>*>(&target))
      (*list)->clear();
    else if (auto* const* rules =
                 std::get_if<std::vector<priority_rule>*>(&target))
      (*rules)->clear();
  }
  const auto fault = k.type == kind::secret_file
                         ? set_from_files(k, target, raw, from.base)
                         : assign(k, target, raw);
  if (fault) {
    faults_.push_back(where + ": " + *fault);
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

std::optional<std::string> builder::set_from_files(const key& k, field target,
                                                   const raw_value& raw,
                                                   const fs::path& base) {
  std::vector<std::string> paths;
  if (const auto* plain = std::get_if<plain_text>(&raw)) {
    auto list = is_list_text(plain->value) ? read_text_list(plain->value)
                                           : std::nullopt;
    paths = list ? std::move(*list) : std::vector{plain->value};
  } else if (const auto* text = std::get_if<std::string>(&raw)) {
    paths.push_back(*text);
  } else if (const auto* list = std::get_if<std::vector<std::string>>(&raw)) {
    paths = *list;
  } else {
    return "expected " + expectation(k);
  }
  for (const auto& path : paths) {
    const auto text = read_file(base / path, "file");
    if (!text)
      return text.error().message;
    std::vector<std::string> lines;
    std::istringstream in{*text};
    for (std::string line; std::getline(in, line);)
      if (const auto one = trimmed(line); !one.empty())
        lines.emplace_back(one);
    if (lines.empty())
      return "file " + (base / path).string() + ": holds no secret";
    if (auto* const* one = std::get_if<std::string*>(&target))
      **one = lines.front();
    else if (auto* const* all = std::get_if<std::vector<std::string>*>(&target))
      (*all)->insert((*all)->end(), lines.begin(), lines.end());
  }
  return std::nullopt;
}

// -- the file ----------------------------------------------------------------

void builder::file(std::string_view text, std::string_view name,
                   const fs::path& base) {
  const auto entries = read_toml(text, name);
  if (!entries) {
    faults_.push_back(entries.error().message);
    return;
  }
  for (const auto& e : *entries)
    entry(e,
          {rank::file, std::string{name} + ':' + std::to_string(e.line), base});
}

void builder::entry(const file_entry& e, const source& from) {
  if (e.section.empty()) {
    const auto names = section_names();
    const auto hint = nearest(e.name, names, slip(e.name));
    faults_.push_back(with_hint(from.label + ": " + e.name +
                                    ": unknown key; keys belong into a section",
                                hint.empty() ? hint : "[" + hint + "]"));
    return;
  }
  const auto where = from.label + ": " + heading(e.section, e.platform);
  if (e.section == "platforms" || e.section == "processors") {
    faults_.push_back(where + ' ' + e.name +
                      (e.section == "platforms"
                           ? ": keys belong into a platform's section, "
                             "such as [platforms.github]"
                           : ": keys belong into a processor's section, "
                             "such as [processors.notify]"));
    return;
  }
  if (e.name.empty()) {
    const auto names = section_names();
    const auto [first, fresh] = result_.sections.emplace(
        section_path(e.section, e.platform), from.label);
    // Nothing else can be there twice in TOML.
    if (!fresh && e.section == processor_section)
      faults_.push_back(where +
                        ": there is a processor of this name already, "
                        "at " +
                        first->second);
    if (e.section == platform_section) {
      if (is_platform_name(e.platform))
        result_.values.platforms[e.platform];
      else
        faults_.push_back(where +
                          ": a platform's name is made of a-z, 0-9, _ and -");
    } else if (e.section == processor_section) {
      // One without any key is none.
      if (!is_processor_name(e.platform))
        faults_.push_back(where + ": a processor's name is made of letters, "
                                  "digits, _, . and -");
    } else if (std::ranges::find(names, e.section) == names.end()) {
      const auto hint = nearest(e.section, names, slip(e.section));
      faults_.push_back(with_hint(where + ": unknown section",
                                  hint.empty() ? hint : "[" + hint + "]"));
    }
    return;
  }
  if (!fits(e.section, e.platform))
    return;
  const auto* k = find_key(e.section, e.name);
  if (k) {
    set(*k, e.platform, e.value, from, where + ' ' + e.name);
    return;
  }
  const auto names = key_names(e.section);
  // The unknown section has been told already.
  if (!names.empty())
    faults_.push_back(with_hint(where + ' ' + e.name + ": unknown key",
                                nearest(e.name, names, slip(e.name))));
}

// -- the environment ---------------------------------------------------------

void builder::variables(const environment& env, const fs::path& base) {
  for (const auto& direct : direct_variables) {
    const auto found = env.find(std::string{direct.name});
    if (found == env.end() || trimmed(found->second).empty() ||
        is_service_link({}, found->second))
      continue;
    set(*find_key(direct.section, direct.key), std::string{direct.platform},
        plain_text{found->second}, {rank::env, found->first, base},
        found->first);
  }
  for (const auto& [name, value] : env)
    if (name.starts_with(prefix) && !is_service_link(name, value))
      variable(name, value, {rank::env, name, base});
}

void builder::variable(const std::string& name, const std::string& value,
                       const source& from) {
  for (std::string_view client :
       {"EVENTWEFT_URL", "EVENTWEFT_TOKEN", "EVENTWEFT_CA", "EVENTWEFT_CONFIG"})
    if (name == client)
      return;
  if (name.starts_with(platform_prefix)) {
    platform_variable(name, value, from);
    return;
  }
  if (name.starts_with(processor_prefix)) {
    processor_variable(name, value, from);
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
        set(k, {}, plain_text{value}, from, name);
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
    faults_.push_back(with_hint(name + ": unknown variable", hint));
}

void builder::platform_variable(const std::string& name,
                                const std::string& value, const source& from) {
  const auto rest = std::string_view{name}.substr(platform_prefix.size());
  const key* best = nullptr;
  std::string platform;
  for (const auto& k : keys()) {
    if (k.section != platform_section)
      continue;
    const auto suffix =
        environment_name(k, "x").substr(platform_prefix.size() + 1);
    if (rest.size() <= suffix.size() || !rest.ends_with(suffix) ||
        (best && best->name.size() >= k.name.size()))
      continue;
    best = &k;
    platform = rest.substr(0, rest.size() - suffix.size());
  }
  platform = lower_case(platform);
  if (!best || !is_platform_name(platform)) {
    std::vector<std::string> names;
    for (std::string_view known :
         {"github", "slack", "linear", "deployments", "events"})
      for (const auto& k : keys())
        if (k.section == platform_section)
          names.push_back(environment_name(k, known));
    faults_.push_back(with_hint(name + ": unknown variable",
                                nearest(name, names, slip(rest))));
    return;
  }
  // `my-tool` of the file is MY_TOOL here.
  for (const auto& [known, unused] : result_.values.platforms) {
    auto folded = known;
    std::ranges::replace(folded, '-', '_');
    if (folded == platform) {
      platform = known;
      break;
    }
  }
  if (!value.empty())
    set(*best, platform, plain_text{value}, from, name);
}

// A processor's name may be in any case: one of the file is found whatever its
// case and with `_` for `-` and `.`; a new one is in lower case.
void builder::processor_variable(const std::string& name,
                                 const std::string& value, const source& from) {
  const auto folded = [](std::string text) {
    for (auto& c : text)
      c = c == '-' || c == '.'   ? '_'
          : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a')
                                 : c;
    return text;
  };
  const auto rest = std::string_view{name}.substr(processor_prefix.size());
  const key* best = nullptr;
  std::string processor;
  for (const auto& k : keys()) {
    if (k.section != processor_section)
      continue;
    const auto suffix =
        environment_name(k, "x").substr(processor_prefix.size() + 1);
    if (rest.size() <= suffix.size() || !rest.ends_with(suffix) ||
        (best && best->name.size() >= k.name.size()))
      continue;
    best = &k;
    processor =
        folded(std::string{rest.substr(0, rest.size() - suffix.size())});
  }
  if (!best || !is_processor_name(processor)) {
    faults_.push_back(name + ": unknown variable");
    return;
  }
  for (const auto& [known, unused] : result_.values.processors)
    if (folded(known) == processor) {
      processor = known;
      break;
    }
  if (!value.empty())
    set(*best, processor, plain_text{value}, from, name);
}

// -- flags -------------------------------------------------------------------

void builder::flag_value(const flag& f, const fs::path& base) {
  const auto dot = f.key.rfind('.');
  std::string section = f.key.substr(0, std::min(dot, f.key.size()));
  const auto name = dot == std::string::npos ? "" : f.key.substr(dot + 1);
  std::string platform;
  for (auto named : {platform_section, processor_section})
    if (section.starts_with(named.substr(0, named.size() - 1))) {
      platform = section.substr(named.size() - 1);
      section = named;
      break;
    }
  const auto where = f.label + (f.label.ends_with(f.key) ? "" : ' ' + f.key);
  const auto* k = find_key(section, name);
  if (!k || (!platform.empty() && !fits(section, platform))) {
    std::vector<std::string> names;
    for (const auto& known : keys())
      names.push_back(path_of(known.section, platform, known.name));
    faults_.push_back(
        with_hint(where + ": unknown key", nearest(f.key, names, slip(f.key))));
    return;
  }
  set(*k, platform, plain_text{f.value}, {rank::flag, f.label, base},
      k->type == kind::text || k->type == kind::store_url ||
              k->type == kind::web_url
          ? f.label
          : where);
}

// -- the whole ---------------------------------------------------------------

std::string builder::place(std::string_view section,
                           std::string_view name) const {
  const auto origin = result_.origins.find(path_of(section, {}, name));
  std::string where =
      origin == result_.origins.end() ? "" : origin->second + ": ";
  return where + heading(section, {}) + ' ' + std::string{name} + ": ";
}

void builder::check_order(std::string_view section, std::string_view low,
                          std::string_view high, bool holds) {
  if (holds)
    return;
  // The one that was set is told; of two, the upper one.
  const bool above = !result_.origins.contains(path_of(section, {}, high)) &&
                     result_.origins.contains(path_of(section, {}, low));
  const auto told = above ? low : high;
  const auto other = above ? high : low;
  const auto* k = find_key(section, other);
  faults_.push_back(place(section, told) + "must not be " +
                    (above ? "above " : "below ") + std::string{other} +
                    ", which is " + shown(*k, k->at(result_.values, {})));
}

void builder::check_listen() {
  const std::string_view listen = result_.values.server.listen;
  const auto colon = listen.rfind(':');
  const auto host = listen.substr(0, std::min(colon, listen.size()));
  bool good = colon != std::string_view::npos && !host.empty();
  // An IPv6 address stands in brackets, or its last group reads as a port.
  good = good && (host.find(':') == std::string_view::npos ||
                  (host.front() == '[' && host.back() == ']'));
  uint16_t port = 0;
  if (good) {
    const auto text = listen.substr(colon + 1);
    const auto* end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, port);
    good = fault == std::errc{} && stop == end && !text.empty();
  }
  if (!good)
    faults_.push_back(place("server", "listen") +
                      "expected HOST:PORT, such as 127.0.0.1:8080 or "
                      "[::1]:8080, found " +
                      in_quotes(listen));
}

/// Whether one of the classic variables says where PostgreSQL is.
bool builder::selects_postgres() const {
  return std::ranges::any_of(direct_variables, [&](const auto& direct) {
    if (direct.section != "database")
      return false;
    const auto from =
        result_.origins.find(path_of(direct.section, {}, direct.key));
    return from != result_.origins.end() && from->second == direct.name;
  });
}

void builder::choose_store() {
  auto& values = result_.values;
  auto& url = values.store.url;
  const auto by_url = url.empty() ? rank::none : strength("store.url");
  const auto by_host =
      values.database.host.empty() ? rank::none : strength("database.host");
  const auto by_name = strength("database.database");
  const auto by_parts =
      std::max({by_host, by_name, selects_postgres() ? rank::env : rank::none});
  if (by_url != rank::none && by_url >= by_parts) {
    const bool good =
        url.starts_with("memory:") ||
        (url.starts_with("sqlite:") && url.size() > 7) ||
        url.starts_with("postgresql://") || url.starts_with("postgres://") ||
        (!url.starts_with("sqlite:") && url.find("://") == std::string::npos &&
         url.find('=') != std::string::npos);
    if (!good)
      faults_.push_back(place("store", "url") +
                        "expected sqlite:PATH, postgresql://… or a libpq "
                        "connection string");
    return;
  }
  if (by_parts != rank::none) {
    url = database_url(values.database);
    std::string says;
    for (std::string_view part :
         {"host", "database", "user", "password", "port"}) {
      const auto path = path_of("database", {}, part);
      if (says.empty() && strength(path) == by_parts)
        says = result_.origins[path];
    }
    result_.origins["store.url"] = "[database], " + says;
    return;
  }
  url = "sqlite:eventweft.db";
  result_.origins.erase("store.url");
}

void builder::complete() {
  const auto& v = result_.values;
  check_listen();
  check_order("store", "retry_min", "retry_max",
              v.store.retry_min <= v.store.retry_max);
  check_order("database", "min_connections", "max_connections",
              v.database.min_connections <= v.database.max_connections);
  check_order("streaming", "ping_interval", "pong_timeout",
              v.streaming.ping_interval <= v.streaming.pong_timeout);
  check_order("supervisor", "restart_min", "restart_max",
              v.supervisor.restart_min <= v.supervisor.restart_max);
  choose_store();
}

expected<effective> build(std::string_view toml, std::string_view name,
                          std::optional<fs::path> path,
                          const load_options& options) {
  builder b;
  const auto base = path ? path->parent_path() : fs::path{name}.parent_path();
  if (!name.empty())
    b.file(toml, name, base.empty() ? options.directory : base);
  b.variables(options.env, options.directory);
  for (const auto& f : options.flags)
    b.flag_value(f, options.directory);
  b.complete();
  return std::move(b).take(std::move(path));
}

} // namespace

std::string database_url(const database_settings& d) {
  std::string url = "postgresql://";
  if (!d.user.empty()) {
    append_url_escaped(url, d.user);
    if (!d.password.empty()) {
      url += ':';
      append_url_escaped(url, d.password);
    }
    url += '@';
  }
  if (d.host.find(':') != std::string::npos && !d.host.starts_with('/')) {
    const bool bare = !d.host.starts_with('[');
    url.append(bare ? "[" : "").append(d.host).append(bare ? "]" : "");
  } else {
    append_url_escaped(url, d.host);
  }
  url += ':' + std::to_string(d.port) + '/';
  append_url_escaped(url, d.database);
  url += "?sslmode=";
  append_url_escaped(url, d.sslmode);
  if (!d.sslrootcert.empty()) {
    url += "&sslrootcert=";
    append_url_escaped(url, d.sslrootcert);
  }
  return url;
}

expected<effective> load_effective(const load_options& options) {
  auto path = options.file;
  const auto named = options.env.find("EVENTWEFT_CONFIG");
  if (!path && named != options.env.end() && !named->second.empty())
    path = named->second;
  std::error_code fault;
  if (!path) {
    const auto usual = options.directory / "eventweft.toml";
    if (!fs::exists(usual, fault))
      return build({}, {}, std::nullopt, options);
    path = usual.lexically_normal();
  }
  const auto text = read_file(*path, "configuration file");
  if (!text)
    return fail(text.error());
  return build(*text, path->string(), path, options);
}

expected<settings> load(const load_options& options) {
  return load_effective(options).map(
      [](effective&& e) { return std::move(e.values); });
}

expected<effective> load_text(std::string_view toml, std::string_view name,
                              const load_options& options) {
  return build(toml, name, std::nullopt, options);
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
