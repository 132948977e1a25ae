"""Static checks, one file each. To add one: write the file, name it here, add its cases."""
