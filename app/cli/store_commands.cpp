// SPDX-License-Identifier: Apache-2.0
#include "app/cli/cli.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/selection.hpp"
#include "app/lone_node.hpp"
#include "app/retention.hpp"
#include "app/store_options.hpp"
#include "config/node_name.hpp"
#include "persistence/newer_schema.hpp"
#include "persistence/schema_version.hpp"
#include "persistence/store.hpp"

#include <algorithm>
#include <filesystem>

namespace eventweft::cli {

namespace {

expected<store_ptr> open(const config::settings& s) {
  return open_store(store_options_of(s));
}

void tell_platforms(const config::settings& s, console& io) {
  io.out << "\nWebhooks:\n";
  for (std::string_view usual : {"github", "slack", "linear", "deployments"})
    if (!s.platforms.contains(std::string{usual}))
      io.out << "  " << usual
             << ": no secret is set; every webhook is refused with 401\n";
  for (const auto& [name, p] : s.platforms) {
    io.out << "  " << name << ": ";
    if (!p.enabled)
      io.out << "off\n";
    else if (!p.secrets.empty())
      io.out << p.secrets.size()
             << (p.secrets.size() == 1 ? " secret\n" : " secrets\n");
    else if (!p.tokens.empty())
      io.out << p.tokens.size()
             << (p.tokens.size() == 1 ? " token\n" : " tokens\n");
    else if (p.allow_unsigned)
      io.out << "taken without any proof (allow_unsigned)\n";
    else
      io.out << "no secret is set; every webhook is refused with 401\n";
  }
}

/// What is gone is not known again.
void tell_short_keeps(const config::settings& s, console& io) {
  using std::chrono::seconds;
  const auto window = std::chrono::duration_cast<seconds>(s.store.dedup_window);
  const auto policy = retention_of(s);
  if (!policy)
    return;
  for (const auto& where : keeps_below(*policy, window))
    io.out << "  warning: " << where
           << " is shorter than [store] dedup_window (" << window.count()
           << " s): what is sent again after it, within the window, is stored "
              "twice\n";
}

/// "[section]" of what is wrong there; empty if it names none.
std::string_view section_of(std::string_view fault) {
  const auto end = fault.find(']');
  return fault.starts_with('[') && end != std::string_view::npos
             ? fault.substr(0, end + 1)
             : std::string_view{};
}

/// Whether that may be wrong only because something else could not be read.
bool may_follow(std::string_view fault, const config::reading& from) {
  const auto is_faulty = [&from](std::string_view section) {
    return std::ranges::any_of(from.faults, [section](const auto& one) {
      return one.find(section) != std::string::npos;
    });
  };
  // A definition has a file of its own, to be found without the rest.
  const auto& definitions = from.result.values.event.platforms_directory;
  if (!definitions.empty() && fault.starts_with(definitions))
    return false;
  const auto section = section_of(fault);
  if (section.empty() || is_faulty(section))
    return true;
  // Which store it is decides what may be done with it.
  return (section == "[store]" || section == "[cluster]") &&
         (is_faulty("[store]") || is_faulty("[database]"));
}

/// All that is wrong with it, not only what was found first.
expected<void> refuse_faults(const config::reading& from,
                             const programs& start) {
  std::string all;
  const auto tell = [&all](const std::string& fault) {
    all += (all.empty() ? "" : "\n") + fault;
  };
  for (const auto& fault : from.faults)
    tell(fault);
  if (start.faults && from.all_read)
    for (auto& fault : start.faults(from.result.values))
      if (from.faults.empty() || !may_follow(fault.message, from))
        tell(config::located(from.result, std::move(fault)).message);
  if (all.empty())
    return {};
  return fail(ec::bad_configuration, std::move(all));
}

/// What is in effect, for people.
std::string shown_settings(config::effective of) {
  auto& cluster = of.values.cluster;
  if (cluster.enabled)
    cluster.name = node_name(cluster).value_or(cluster.name);
  return config::describe(of);
}

} // namespace

bool is_missing_file(const std::string& url) {
  constexpr std::string_view scheme = "sqlite:";
  std::error_code ignored;
  return url.starts_with(scheme) &&
         !std::filesystem::exists(url.substr(scheme.size()), ignored);
}

int migrate(const config::load_options& options, console& io) {
  const auto settings = config::load(options);
  if (!settings)
    return report(settings.error(), io);
  const auto store = open(*settings);
  if (!store)
    return report(store.error(), io);
  const auto done = (*store)->migrate();
  if (!done)
    return report(
        {done.error().code, (*store)->describe() + ": " + done.error().message},
        io);
  io.out << (*store)->describe() << ": ";
  if (done->from == done->to)
    io.out << "schema " << done->to << " is up to date\n";
  else
    io.out << "schema " << done->from << " -> " << done->to << '\n';
  return exit_ok;
}

expected<config::effective> load_valid(const config::load_options& options,
                                       const programs& start) {
  auto read = config::read_all(options);
  if (auto fine = refuse_faults(read, start); !fine)
    return fail(std::move(fine.error()));
  return std::move(read.result);
}

int check(const config::load_options& options, const programs& start,
          console& io) {
  const auto read = config::read_all(options);
  const auto& s = read.result.values;
  // With defaults for what could not be read it would be a wrong picture.
  if (read.faults.empty())
    io.out << shown_settings(read.result);
  if (const auto fine = refuse_faults(read, start); !fine) {
    io.out.flush();
    return report(fine.error(), io);
  }
  tell_platforms(s, io);
  if (const auto idle = idle_cluster(s.cluster); !idle.empty())
    io.out << "\nWarning: " << idle << '\n';
  const auto store = open(s);
  if (!store)
    return report(store.error(), io);
  io.out << "\nStore: " << (*store)->describe() << '\n';
  // SQLite knows all that is stored, and has no window.
  if ((*store)->engine() == "postgres")
    tell_short_keeps(s, io);
  io.out << "  ";
  bool has_keys = false;
  if (is_missing_file(s.store.url)) {
    io.out << (s.store.auto_migrate
                   ? "not there yet; `serve` makes it at start\n"
                   : "not there yet; `eventweft migrate` makes it\n");
  } else if (const auto schema = (*store)->check_schema(); schema) {
    const auto newer = newer_schema(*schema);
    if (newer.empty())
      io.out << "schema " << schema->to << " is up to date\n";
    else
      io.out << newer << '\n';
    if (const auto rights = (*store)->check_rights(); !rights) {
      io.out << "  not usable\n";
      io.out.flush();
      return report(rights.error(), io);
    }
    if (const auto nodes = (*store)->open_nodes(); nodes && !s.cluster.enabled)
      if (const auto alone = check_alone(*nodes); !alone)
        return report(config::located(read.result, alone.error()), io);
    if (const auto credentials = (*store)->open_credentials())
      if (const auto keys = credentials->keys())
        has_keys = !keys->empty();
  } else if (schema.error().code == ec::schema_mismatch &&
             s.store.auto_migrate) {
    io.out << schema.error().message << '\n';
    if (schema.error().message.ends_with(older_schema))
      io.out << "  `serve` brings an older schema up to date at start\n";
    return exit_failure;
  } else {
    io.out << "not usable\n";
    return report(schema.error(), io);
  }
  const bool guarded =
      s.auth.required == "true" ||
      (s.auth.required == "auto" &&
       (has_keys || !s.auth.jwt_keys.empty() || !s.auth.jwt_secret.empty()));
  if (start.may_listen)
    if (const auto fine = start.may_listen(s, guarded); !fine) {
      io.out.flush();
      return report(config::located(read.result, {fine.error().code,
                                                  "[server] listen: " +
                                                      fine.error().message}),
                    io);
    }
  io.out << "\nServer: would listen on " << s.server.listen << '\n';
  return exit_ok;
}

namespace {

void tell(const retention_item& item, console& io) {
  io.out << to_string(item.action) << "  " << item.what << "  " << item.events
         << " events, " << item.bytes << " bytes";
  if (!item.reason.empty())
    io.out << "  (" << item.reason << ')';
  io.out << '\n';
}

} // namespace

int retention(const config::load_options& options, bool dry_run, console& io) {
  const auto loaded = config::load_effective(options);
  if (!loaded)
    return report(loaded.error(), io);
  const auto& settings = loaded->values;
  const auto policy = retention_of(settings);
  if (!policy)
    return report(config::located(*loaded, policy.error()), io);
  if (policy->keeps_all()) {
    io.out << "Nothing goes: no [retention] keep and no platform's keep is "
              "set.\n";
    return exit_ok;
  }
  const auto store = open(settings);
  if (!store)
    return report(store.error(), io);
  if (const auto schema = (*store)->check_schema(); !schema)
    return report(schema.error(), io);
  const auto session = (*store)->open_maintenance();
  if (!session)
    return report({ec::internal, "this store has no retention"}, io);
  // What the figures have not counted must stay, and maybe no server runs that
  // would count it.
  for (int64_t counted = 1; counted > 0;) {
    const auto rolled = session->roll_up_metrics();
    if (!rolled)
      return report(rolled.error(), io);
    counted = *rolled;
  }
  const system_clock time;
  for (bool more = !dry_run; more;) {
    const auto gone = session->apply_retention(*policy, time.now(), false);
    if (!gone)
      return report(gone.error(), io);
    more = false;
    for (const auto& item : *gone) {
      if (!stays(item.action))
        tell(item, io);
      more = more || (item.action == retention_item::kind::delete_events &&
                      item.events > 0);
    }
  }
  // What must stay, once, after all that goes is gone.
  const auto items = session->apply_retention(*policy, time.now(), true);
  if (!items)
    return report(items.error(), io);
  for (const auto& item : *items)
    if (dry_run || stays(item.action))
      tell(item, io);
  if (dry_run) {
    if (std::ranges::all_of(*items, stays, &retention_item::action))
      io.out << "Nothing would go.\n";
    io.out << "A dry run: nothing was changed.\n";
  }
  return exit_ok;
}

} // namespace eventweft::cli
