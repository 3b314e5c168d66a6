INSERT INTO `revision` (`id`, `value`) VALUES (1, 1);
--> statement-breakpoint
CREATE TRIGGER `projects_inserted` AFTER INSERT ON `projects` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `projects_updated` AFTER UPDATE ON `projects` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `projects_deleted` AFTER DELETE ON `projects` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `provider_keys_inserted` AFTER INSERT ON `provider_keys` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `provider_keys_updated` AFTER UPDATE ON `provider_keys` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `provider_keys_deleted` AFTER DELETE ON `provider_keys` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `tokens_inserted` AFTER INSERT ON `tokens` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
--> statement-breakpoint
-- Every column but `request_count` and `last_used_at`, which each request writes.
CREATE TRIGGER `tokens_updated` AFTER UPDATE OF `id`, `project_id`, `name`, `hash`, `last4`, `expires_at`, `max_requests`, `rate_limit`, `allowed_models`, `allowed_endpoints`, `allowed_ips`, `metadata`, `is_active`, `revoked_at`, `created_at`, `updated_at` ON `tokens` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `tokens_deleted` AFTER DELETE ON `tokens` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
