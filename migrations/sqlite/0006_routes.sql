CREATE TABLE `routes` (
	`seq` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`pattern` text NOT NULL,
	`strategy` text NOT NULL,
	`targets` text NOT NULL,
	`timeouts` text,
	`max_retries` integer,
	`recovery` text,
	`routes_around_refusals` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `routes_id_unique` ON `routes` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `routes_pattern_unique` ON `routes` (`pattern`);
--> statement-breakpoint
CREATE TRIGGER `routes_inserted` AFTER INSERT ON `routes` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `routes_updated` AFTER UPDATE ON `routes` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
--> statement-breakpoint
CREATE TRIGGER `routes_deleted` AFTER DELETE ON `routes` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
