// SPDX-License-Identifier: Apache-2.0
#include "app/cli/keys.hpp"

#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "app/store_options.hpp"
#include "codec/filter.hpp"
#include "codec/json_text.hpp"
#include "config/age.hpp"
#include "persistence/store.hpp"

#include <CLI/CLI.hpp>
#include <pwd.h>
#include <unistd.h>

#include <memory>

namespace eventweft::cli {

namespace {

struct books {
  store_ptr store;
  std::unique_ptr<credential_store> session;
};

expected<books> open(const config::load_options& options) {
  const auto settings = config::load(options);
  if (!settings)
    return fail(settings.error());
  auto store = open_store(store_options_of(*settings));
  if (!store)
    return fail(store.error());
  // The first key is made before the first start.
  const auto ready = settings->store.auto_migrate ? (*store)->migrate()
                                                  : (*store)->check_schema();
  if (!ready)
    return fail(ready.error().code,
                (*store)->describe() + ": " + ready.error().message);
  auto session = (*store)->open_credentials();
  if (!session)
    return fail(ec::internal, "this store keeps no keys");
  return books{std::move(*store), std::move(session)};
}

std::string who_runs_this() {
  const auto* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : std::to_string(::getuid());
}

void write_down(books& b, std::string action, std::string target, int status) {
  auth::audit_entry e;
  e.at = system_clock{}.now();
  e.actor_kind = "command line";
  e.actor = who_runs_this();
  e.action = std::move(action);
  e.target = std::move(target);
  e.status = status;
  // The key is there or gone already; the trail is worth no failure.
  static_cast<void>(b.session->append_audit({&e, 1}));
}

expected<std::optional<timestamp>> end_of(const std::string& text,
                                          timestamp now) {
  if (text.empty())
    return std::optional<timestamp>{};
  if (const auto time = parse_rfc3339(text)) {
    if (*time <= now)
      return fail(ec::bad_configuration, "--expires: that time is past");
    return time;
  }
  const auto age = config::parse_age(text);
  if (!age || !*age)
    return fail(ec::bad_configuration,
                "--expires: expected an RFC 3339 time, or 30d, 12h, 15m");
  return std::optional{now + **age};
}

expected<auth::api_key> wanted_key(const key_options& options, timestamp now) {
  auth::api_key key;
  key.name = options.name;
  for (const auto& text : options.scopes) {
    auto scope = auth::parse_scope(text);
    if (!scope)
      return fail(ec::bad_configuration, "--scope: " + scope.error().message);
    key.scopes.push_back(std::move(*scope));
  }
  if (!options.filter.empty()) {
    auto f = codec::parse_forced_filter(options.filter);
    if (!f)
      return fail(ec::bad_configuration, "--filter: " + f.error().message);
    key.forced = std::move(*f);
  }
  const auto end = end_of(options.expires, now);
  if (!end)
    return fail(end.error());
  key.expires_at = *end;
  auto checked = auth::checked_api_key(std::move(key));
  if (!checked)
    return fail(ec::bad_configuration, checked.error().message);
  return checked;
}

std::string json_of(const auth::api_key& key, const std::string* text) {
  std::string out = "{";
  const auto member = [&out](std::string_view name, std::string_view value) {
    out += out.back() == '{' ? "\"" : ",\"";
    out.append(name).append("\":");
    codec::append_quoted(out, value);
  };
  const auto time = [&](std::string_view name,
                        const std::optional<timestamp>& value) {
    if (value)
      member(name, to_rfc3339(*value));
    else
      out.append(",\"").append(name).append("\":null");
  };
  member("id", key.id);
  member("name", key.name);
  out += ",\"scopes\":[";
  for (const auto& s : key.scopes) {
    if (out.back() != '[')
      out += ',';
    codec::append_quoted(out, to_string(s));
  }
  out += "],\"filter\":";
  out += key.forced ? codec::filter_json(*key.forced) : "null";
  time("created_at", key.created_at);
  time("expires_at", key.expires_at);
  time("revoked_at", key.revoked_at);
  time("last_used_at", key.last_used_at);
  if (text != nullptr)
    member("key", *text);
  return out + '}';
}

std::string state_of(const auth::api_key& key, timestamp now) {
  if (key.revoked_at)
    return "revoked " + to_rfc3339(*key.revoked_at).substr(0, 19) + "Z";
  if (key.expires_at)
    return (now >= *key.expires_at ? "expired " : "until ") +
           to_rfc3339(*key.expires_at).substr(0, 19) + "Z";
  return "good";
}

} // namespace

int create_key(const key_options& options, const config::load_options& load,
               console& io) {
  const auto now = system_clock{}.now();
  auto wanted = wanted_key(options, now);
  if (!wanted)
    return report(wanted.error(), io);
  auto b = open(load);
  if (!b)
    return report(b.error(), io);
  system_random random;
  const auto made = auth::make_api_key(std::move(*wanted), now, random);
  if (const auto added = b->session->add_key(made.record); !added)
    return report(added.error(), io);
  write_down(*b, "keys create", made.record.id, 201);
  if (options.json) {
    io.out << json_of(made.record, &made.text) << '\n';
  } else {
    // The key alone on standard output, so that scripts can take it.
    io.out << made.text << '\n';
    io.err << "key " << made.record.id << " with "
           << to_string(made.record.scopes) << " in " << b->store->describe()
           << "\nIt is shown this once; a running server knows it within a "
              "second.\n";
  }
  return exit_ok;
}

int list_keys(const key_options& options, const config::load_options& load,
              console& io) {
  auto b = open(load);
  if (!b)
    return report(b.error(), io);
  const auto keys = b->session->keys();
  if (!keys)
    return report(keys.error(), io);
  const auto now = system_clock{}.now();
  for (const auto& key : *keys) {
    if (options.json) {
      io.out << json_of(key, nullptr) << '\n';
      continue;
    }
    io.out << key.id << "  " << state_of(key, now) << "  "
           << printable(to_string(key.scopes)) << "  "
           << (key.last_used_at
                   ? "used " + to_rfc3339(*key.last_used_at).substr(0, 16) + "Z"
                   : std::string{"never used"});
    if (key.forced)
      io.out << "  sees " << printable(codec::filter_json(*key.forced));
    if (!key.name.empty())
      io.out << "  " << printable(key.name);
    io.out << '\n';
  }
  return exit_ok;
}

int revoke_keys(const key_options& options, const config::load_options& load,
                console& io) {
  auto b = open(load);
  if (!b)
    return report(b.error(), io);
  int code = exit_ok;
  for (const auto& id : options.ids) {
    const auto revoked = b->session->revoke_key(id, system_clock{}.now());
    if (!revoked)
      return report(revoked.error(), io);
    write_down(*b, "keys revoke", id, *revoked ? 204 : 404);
    if (*revoked) {
      io.out << id << "  revoked\n";
    } else {
      io.err << "eventweft: " << printable(id) << ": no API key has this id\n";
      code = exit_failure;
    }
  }
  return code;
}

void add_keys(CLI::App& app, key_options& o,
              const std::function<void(CLI::App&)>& add_settings,
              const std::function<void(key_command)>& run) {
  auto* keys = app.add_subcommand(
      "keys", "Make, list or revoke API keys, in the store itself");
  keys->require_subcommand(1);
  auto* create =
      keys->add_subcommand("create", "Make one; it is shown this once");
  add_settings(*create);
  create
      ->add_option("--scope", o.scopes,
                   "ingest, read, stream:NAME (* is a wildcard), manage or "
                   "admin; may be repeated")
      ->required()
      ->delimiter(',')
      ->allow_extra_args(false);
  create->add_option("--name", o.name, "What it is for");
  create
      ->add_option("--filter", o.filter,
                   "A filter that everything its bearer reads passes through; "
                   "no member of it is empty")
      ->check(refuse_empty)
      ->type_name("JSON");
  create
      ->add_option("--expires", o.expires,
                   "An RFC 3339 time, or 90d, 12h from now (default: never)")
      ->check(refuse_empty)
      ->type_name("WHEN");
  create->add_flag("--json", o.json, "One JSON object, the key in it");
  create->callback([run] { run(create_key); });
  auto* list = keys->add_subcommand("list", "All of them, without the keys");
  add_settings(*list);
  list->add_flag("--json", o.json, "One JSON object a line");
  list->callback([run] { run(list_keys); });
  auto* revoke =
      keys->add_subcommand("revoke", "From now on they open nothing");
  add_settings(*revoke);
  revoke->add_option("id", o.ids, "Their ids")->required();
  revoke->callback([run] { run(revoke_keys); });
  keys->footer(
      "Examples:\n"
      "  eventweft keys create --name me --scope admin\n"
      "  eventweft keys create --name ci --scope ingest --expires 90d\n"
      "  eventweft keys create --scope read --filter "
      "'{\"source_names\":[\"octo/*\"]}'\n"
      "  eventweft keys list\n"
      "  eventweft keys revoke 0f3a…");
}

} // namespace eventweft::cli
