// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/persistence/store_fixture.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <pqxx/pqxx>
#include <stdlib.h>

namespace eventweft::testing {

postgres_server& shared_server() {
  // So that nobody but the tests takes locks.
  static postgres_server server{{.settings = {"autovacuum=off"}}};
  server.start();
  return server;
}

std::string migrated_database() {
  static const std::string original = [] {
    const auto url = shared_server().create_database();
    must(must(open_store({url}))->migrate());
    return url.substr(url.rfind('/') + 1);
  }();
  return shared_server().create_database(original);
}

void wait_for_a_lock(const std::string& url) {
  pqxx::connection watcher{url};
  for (bool waits = false; !waits;)
    waits = pqxx::nontransaction{watcher}
                .exec("SELECT count(*) > 0 FROM pg_stat_activity WHERE "
                      "wait_event_type = 'Lock' "
                      "AND datname = current_database()")
                .one_field()
                .as<bool>();
}

temporary_directory::temporary_directory() {
  auto name =
      (std::filesystem::temp_directory_path() / "eventweft-XXXXXX").string();
  if (!::mkdtemp(name.data()))
    throw std::runtime_error{"no temporary directory"};
  path_ = name;
}

temporary_directory::~temporary_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

event numbered_event(int n) {
  seeded_random random{static_cast<uint64_t>(n)};
  event e;
  e.created_at = noon + std::chrono::seconds{n};
  e.id = uuid::v7(e.created_at, random);
  e.event_id = "delivery-" + std::to_string(n);
  e.platform = "github";
  e.event_type = "push";
  e.source_id = "1";
  e.source_name = "octo/repo";
  e.actor_id = "2";
  e.actor_name = "codertocat";
  e.priority = priority::high;
  e.metadata = R"({"n":)" + std::to_string(n) + "}";
  e.payload = shared_text{R"({ "number" : )" + std::to_string(n) + " }"};
  return e;
}

store_contract::store_contract() {
  url_ = is_postgres() ? migrated_database()
         : is_memory() ? std::string{"memory:"}
                       : "sqlite:" + (directory_.path() / "log.db").string();
  store_ = open();
  must(store_->migrate());
  session_ = store_->open_session();
}

store_ptr store_contract::open(store_options options) const {
  // There is no way to it but the object itself.
  if (is_memory() && store_)
    return store_;
  options.url = url_;
  return must(open_store(options));
}

void store_contract::run_sql(const std::string& sql) const {
  if (is_postgres()) {
    pqxx::connection c{url_};
    pqxx::nontransaction{c}.exec(sql);
  } else {
    SQLite::Database db{url_.substr(7), SQLite::OPEN_READWRITE, 5000};
    db.exec(sql);
  }
}

std::vector<append_result> store_contract::append(std::vector<event> events) {
  std::vector<event_ptr> batch;
  for (auto& e : events)
    batch.emplace_back(std::move(e));
  return must(session_->append(batch));
}

} // namespace eventweft::testing
