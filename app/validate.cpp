// SPDX-License-Identifier: Apache-2.0
#include "app/validate.hpp"

#include "actors/platforms/registry.hpp"
#include "app/access_bridge.hpp"
#include "app/cluster_plan.hpp"
#include "app/correlation.hpp"
#include "app/delivery_options.hpp"
#include "app/poster.hpp"
#include "app/processors.hpp"
#include "app/retention.hpp"
#include "app/spool_adapter.hpp"
#include "app/store_options.hpp"
#include "net/tls_keeper.hpp"
#include "persistence/store.hpp"

#include <filesystem>
#include <memory>
#include <utility>

namespace eventweft {

namespace {

using config::settings;

class fault_list {
 public:
  template <class T>
  void add(const expected<T>& outcome) {
    if (outcome)
      return;
    // A fault that all of them have is told once.
    for (const auto& known : all_)
      if (known.message == outcome.error().message)
        return;
    all_.push_back(outcome.error());
  }

  std::vector<error> take() && { return std::move(all_); }

 private:
  std::vector<error> all_;
};

// One section at a time: all that is wrong is told at once.
void check_platforms(const settings& s, fault_list& faults) {
  const system_clock time;
  system_random random;
  faults.add(
      platforms::make_platforms({}, time, random, s.event.platforms_directory));
  for (const auto& section : s.platforms)
    faults.add(platforms::make_platforms({section}, time, random,
                                         s.event.platforms_directory));
}

void check_processors(const settings& s, fault_list& faults) {
  const auto time = std::make_shared<const system_clock>();
  for (const auto& one : s.processors) {
    settings only;
    only.processors.insert(one);
    processing::registry nowhere;
    faults.add(add_configured(nowhere, only, nullptr, time, nullptr));
  }
}

// The secret is looked at without a URL, too.
void check_alert(const settings& s, fault_list& faults) {
  const auto time = std::make_shared<const system_clock>();
  auto only_url = s.dead_letters;
  only_url.alert_secret.clear();
  auto only_secret = s.dead_letters;
  only_secret.alert_url.clear();
  faults.add(make_alert(only_url, nullptr, time, nullptr));
  faults.add(make_alert(only_secret, nullptr, time, nullptr));
}

void check_rules(const settings& s, fault_list& faults) {
  // Together they are looked at for what only two of them can have wrong.
  auto sound = s;
  sound.correlation.rules.clear();
  for (const auto& rule : s.correlation.rules) {
    auto only = s;
    only.correlation.rules = {rule};
    const auto made = make_rules(only, {}, nullptr);
    faults.add(made);
    if (made)
      sound.correlation.rules.push_back(rule);
  }
  faults.add(make_rules(sound, {}, nullptr));
}

void check_retention(const settings& s, fault_list& faults) {
  settings only;
  only.event.platforms_directory = s.event.platforms_directory;
  only.retention = s.retention;
  faults.add(retention_of(only));
  only.retention = {};
  for (const auto& section : s.platforms) {
    only.platforms = {section};
    faults.add(retention_of(only));
  }
  faults.add(audit_retention_of(s));
}

void check_store(const settings& s, fault_list& faults) {
  const auto store = open_store(store_options_of(s));
  if (!store) {
    faults.add(expected<void>{
        fail(store.error().code, "[store] url: " + store.error().message)});
    return;
  }
  faults.add(check_store_place(s.store));
  if (!s.store.url.starts_with("memory:"))
    faults.add(spool_source::check(s.store));
  if (s.cluster.enabled)
    faults.add(plan_node(s.cluster, **store));
}

expected<void> check_log(const config::log_settings& log) {
  namespace fs = std::filesystem;
  if (log.file.empty())
    return {};
  std::error_code failed;
  const auto path = fs::absolute(log.file, failed);
  if (failed || fs::is_directory(path, failed))
    return fail(ec::bad_configuration,
                "[log] file: " + log.file + ": a directory, not a file");
  return {};
}

} // namespace

std::vector<error> faults_of(const config::settings& settings) {
  fault_list faults;
  faults.add(check_log(settings.log));
  const auto& tls = settings.server.tls;
  if (!tls.certificate.empty() || !tls.key.empty() || !tls.client_ca.empty())
    faults.add(net::tls_keeper::open(tls));
  faults.add(read_jwt_keys(settings.auth));
  check_store(settings, faults);
  check_platforms(settings, faults);
  check_processors(settings, faults);
  check_alert(settings, faults);
  check_rules(settings, faults);
  faults.add(subscriptions_options_of(settings));
  faults.add(check_poster(settings.webhooks));
  check_retention(settings, faults);
  return std::move(faults).take();
}

} // namespace eventweft
