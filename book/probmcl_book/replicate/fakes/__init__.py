"""Small folders that look like COCO and ChestX-ray14, where code that reads them is tried."""
